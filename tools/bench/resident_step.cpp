#include "tools/bench/resident_step.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <random>
#include <span>
#include <utility>

#include "tools/bench/process_memory.h"
#include "train/backend/bfloat16.h"
#include "train/loop/checkpoint_tensors.h"

namespace penstock::tools::bench {
namespace {

constexpr std::uint32_t kNumSlots = 2;
// Small: made-up pictures teach nothing, and a loss that stays a number is all that is asked.
constexpr double kLearningRate = 1e-4;

struct NoOwner : LeaseOwner {
  void give_back(std::uint32_t) noexcept override {}
};

/// Source  IEEE 754-2008, binary16; ties to even
std::uint16_t float16_bits(float value) {
  constexpr int kFractionBits = 10;
  constexpr int kLeastExponent = -14;  // of numbers with a leading 1
  constexpr int kBias = 15;
  int exponent = 0;
  std::frexp(value, &exponent);  // of 0.5 to 1
  exponent = std::max(exponent - 1, kLeastExponent);
  // Units of the last place, the leading 1 among them: it counts the exponent up by one.
  const auto units =
      static_cast<int>(std::nearbyint(std::ldexp(std::abs(value), kFractionBits - exponent)));
  const int bits = ((exponent + kBias - 1) << kFractionBits) + units;
  return static_cast<std::uint16_t>(bits | (std::signbit(value) ? 0x8000 : 0));
}

/// `to_element` makes an element of a normal value.
template <class ToElement>
void draw_normal(std::span<std::byte> bytes, std::mt19937& random, const ToElement& to_element) {
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < bytes.size(); i += sizeof(to_element(0.0f))) {
    const auto element = to_element(normal(random));
    std::memcpy(&bytes[i], &element, sizeof(element));
  }
}

std::uint64_t bytes_held(const train::Backend& backend) {
  const auto room = backend.device_room();
  return room ? room->total_bytes - room->free_bytes : process_memory().resident_bytes;
}

}  // namespace

MadeUpBatch::MadeUpBatch(const BatchSpec& spec, std::uint32_t num_classes, unsigned seed,
                         const std::shared_ptr<HostMemory>& memory)
    : spec_(spec),
      pixels_(memory, spec.pixels_bytes()),
      labels_(spec.batch),
      weights_(spec.batch, 1.0f) {
  std::mt19937 random(seed);
  switch (spec.element) {
    case ElementType::kFloat32:
      draw_normal(pixels_.bytes(), random, [](float value) { return value; });
      break;
    case ElementType::kBfloat16:
      draw_normal(pixels_.bytes(), random, train::rounded_to<train::Bfloat16>);
      break;
    case ElementType::kFloat16:
      draw_normal(pixels_.bytes(), random, float16_bits);
      break;
    case ElementType::kUint8:
      std::ranges::generate(pixels_.bytes(), [&] { return static_cast<std::byte>(random()); });
      break;
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

void begin_step(train::Backend& backend, train::Program& program, BatchLease lease,
                std::uint64_t idx) {
  const auto slot = static_cast<std::uint32_t>(idx % kNumSlots);
  backend.upload(std::move(lease), slot);
  backend.set_scalars({.learning_rate = kLearningRate,
                       .inv_weight_sum = 1.0f / static_cast<float>(program.lowering().batch),
                       .step = idx},
                      slot);
  for (const auto phase :
       {train::Phase::kForward, train::Phase::kBackward, train::Phase::kUpdate}) {
    program.run(phase, slot);
  }
  backend.release(slot);
  while (backend.poll()) {
  }
  while (backend.poll_update()) {
  }
}

ResidentStep::ResidentStep(train::Backend& backend, const train::ModelGraph& graph,
                           const train::Lowering& lowering)
    : backend_(backend),
      program_(backend.lower(graph, lowering)),
      batch_(backend.input_spec(graph, lowering.batch, lowering.compute), graph.num_classes(), 1,
             backend.batch_memory()) {
  const std::array<train::Program*, 1> programs{program_.get()};
  const train::MemoryPlan plan = train::plan_programs(programs);
  const std::uint64_t before = bytes_held(backend);
  arena_ = std::make_unique<train::BoundArena>(backend, programs, plan);
  const std::uint64_t after = bytes_held(backend);
  arena_held_bytes_ = after - std::min(after, before);
  train::initialize_params(*program_, graph, 1);
}

std::uint64_t ResidentStep::drawing_bytes() const {
  return train::largest_tensor_bytes(program_->params());
}

void ResidentStep::take() {
  begin_step(backend_, *program_, batch_.lease(), num_taken_++);
  backend_.finish();
}

RunTime ResidentStep::take_timed(std::uint32_t num_steps) {
  using Clock = std::chrono::steady_clock;
  const double cpu_before = process_cpu_seconds();
  const auto start = Clock::now();
  for (std::uint32_t i = 0; i < num_steps; ++i) {
    begin_step(backend_, *program_, batch_.lease(), num_taken_++);
  }
  backend_.finish();
  return {.seconds = std::chrono::duration<double>(Clock::now() - start).count(),
          .cpu_seconds = process_cpu_seconds() - cpu_before};
}

}  // namespace penstock::tools::bench
