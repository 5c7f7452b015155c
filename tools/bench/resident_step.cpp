#include "tools/bench/resident_step.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <random>
#include <span>

#include "streamer/core/error.h"
#include "tools/bench/process_memory.h"
#include "train/backend/bfloat16.h"
#include "train/loop/checkpoint_tensors.h"

namespace penstock::tools::bench {
namespace {

constexpr std::uint32_t kSlot = 0;
// Small: made-up pictures teach nothing, and a loss that stays a number is all that is asked.
constexpr double kLearningRate = 1e-4;

struct NoOwner : LeaseOwner {
  void give_back(std::uint32_t) noexcept override {}
};

template <class T>
void draw_normal(std::span<std::byte> bytes, std::mt19937& random) {
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < bytes.size(); i += sizeof(T)) {
    const T pixel = train::rounded_to<T>(normal(random));
    std::memcpy(&bytes[i], &pixel, sizeof(T));
  }
}

}  // namespace

MadeUpBatch::MadeUpBatch(const BatchSpec& spec, std::uint32_t num_classes, unsigned seed)
    : spec_(spec), labels_(spec.batch), weights_(spec.batch, 1.0f) {
  pixels_.resize(spec.pixels_bytes());
  std::mt19937 random(seed);
  switch (spec.element) {
    case ElementType::kFloat32:
      draw_normal<float>(pixels_, random);
      break;
    case ElementType::kBfloat16:
      draw_normal<train::Bfloat16>(pixels_, random);
      break;
    default:
      throw Error(
          ErrorCode::kUnsupported,
          "bench train: expected a backend that reads float32 or bfloat16 pixels, found another");
  }
  for (std::uint32_t& label : labels_) {
    label = static_cast<std::uint32_t>(random() % num_classes);
  }
}

BatchLease MadeUpBatch::lease() const {
  BatchView view;
  view.spec = &spec_;
  view.pixels = pixels_.data();
  view.class_idx = labels_;
  view.weights = weights_;
  view.num_valid = spec_.batch;
  return {view, std::make_shared<NoOwner>(), 0};
}

ResidentStep::ResidentStep(train::Backend& backend, const train::ModelGraph& graph,
                           const train::Lowering& lowering)
    : backend_(backend),
      program_(backend.lower(graph, lowering)),
      batch_(backend.input_spec(graph, lowering.batch, lowering.compute), graph.num_classes(), 1) {
  const std::array<train::Program*, 1> programs{program_.get()};
  const train::MemoryPlan plan = train::plan_programs(programs);
  const std::uint64_t before = process_memory().resident_bytes;
  arena_ = std::make_unique<train::BoundArena>(backend, programs, plan);
  const std::uint64_t after = process_memory().resident_bytes;
  arena_held_bytes_ = after - std::min(after, before);
  train::initialize_params(*program_, graph, 1);
}

std::uint64_t ResidentStep::drawing_bytes() const {
  return train::largest_tensor_bytes(program_->params());
}

void ResidentStep::take() {
  backend_.upload(batch_.lease(), kSlot);
  backend_.set_scalars({.learning_rate = kLearningRate,
                        .inv_weight_sum = 1.0f / static_cast<float>(program_->lowering().batch),
                        .step = num_taken_++},
                       kSlot);
  for (const auto phase :
       {train::Phase::kForward, train::Phase::kBackward, train::Phase::kUpdate}) {
    program_->run(phase, kSlot);
  }
  backend_.finish();
  backend_.release(kSlot);
  while (backend_.poll()) {
  }
  while (backend_.poll_update()) {
  }
}

RunTime ResidentStep::take_timed(std::uint32_t num_steps) {
  using Clock = std::chrono::steady_clock;
  const double cpu_before = process_cpu_seconds();
  const auto start = Clock::now();
  for (std::uint32_t i = 0; i < num_steps; ++i) take();
  return {.seconds = std::chrono::duration<double>(Clock::now() - start).count(),
          .cpu_seconds = process_cpu_seconds() - cpu_before};
}

}  // namespace penstock::tools::bench
