#include "train/backend/cuda/device_bare_step.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "train/backend/cuda/device_lowering.h"
#include "train/backend/cuda/lowering/device_layers.h"
#include "train/backend/cuda/phase_graph.h"
#include "train/backend/lowering_passes.h"
#include "train/plan/memory_plan.h"

namespace penstock::train::cuda {
namespace {

/// Where the products' operands lie. Nobody else has it.
class BareArena final : public DeviceMemory {
 public:
  BareArena(DeviceApi& api, std::size_t bytes)
      : bytes_(bytes), memory_(allocate_on_device(api, std::max<std::size_t>(bytes, 1))) {}
  std::byte* base() const noexcept override { return static_cast<std::byte*>(memory_.get()); }
  std::size_t size_bytes() const noexcept override { return bytes_; }

 private:
  std::size_t bytes_;
  UniqueDeviceBytes memory_;
};

/// Pairs of bytes that are numbers below 2, of either sign, in float16 and in bfloat16, and as halves of float32.
std::vector<std::uint16_t> drawn_pairs(std::size_t count) {
  constexpr std::uint32_t kSign = 0x8000, kLeast = 0x3400, kRange = 0x0C00;
  std::mt19937 random(1);
  std::vector<std::uint16_t> pairs(count);
  for (std::uint16_t& pair : pairs) {
    const auto drawn = static_cast<std::uint32_t>(random());
    pair = static_cast<std::uint16_t>((drawn & kSign) | (kLeast + (drawn >> 16) % kRange));
  }
  return pairs;
}

class DeviceBareStep final : public BareStep {
 public:
  DeviceBareStep(const ModelGraph& graph, const Lowering& lowering, DeviceParts& parts,
                 const DeviceProgramOptions& options)
      : parts_(parts), captures_(options.captures), store_(graph), lowering_(lowering) {
    lowering_.share_with = nullptr;
    lower(graph, options);
    bind();
    fill();
  }
  ~DeviceBareStep() override {
    // What was enqueued reads memory that goes now.
    static_cast<void>(parts_.api.synchronize(stream()));
  }

  std::size_t memory_bytes() const noexcept override { return arena_->size_bytes(); }

  void run() override {
    if (!clock_) {
      graph_.run(parts_.api, stream(), captures_, [&] {
        for (const DeviceLayerTask& product : products_) enqueue(product);
      });
      check_device(parts_.api.synchronize(stream()), "products alone");
      return;
    }
    for (const DeviceLayerTask& product : products_) {
      clock_->time(product.node, product.pass, [&] {
        enqueue(product);
        check_device(parts_.api.synchronize(stream()), "products alone");
      });
    }
  }

  std::vector<LayerTime> times() const override {
    return clock_ ? clock_->times() : std::vector<LayerTime>{};
  }
  void reset_times() override { clock_.emplace(); }

 private:
  /// As the program's, without extras, of which only the products are kept.
  void lower(const ModelGraph& graph, const DeviceProgramOptions& options) {
    DeviceTasks tasks;
    DeviceLowering context(graph, lowering_,
                           {.kernels = parts_.kernels,
                            .products = parts_.products,
                            .store = store_,
                            .buffers = list_,
                            .tasks = tasks,
                            .plan_limits = options.plan_limits,
                            .takes_extras = false});
    const std::vector<LoweredDeviceLayer> layers = make_device_layers(graph, lowering_);
    const DeviceLayerPtr loss = make_device_loss_layer({graph, lowering_.compute});
    LoweringPasses<DeviceLowering> passes(context, layers);
    passes.forward();
    context.start_pass(kLossNode, LayerPass::kForward);
    loss->forward(context);
    if (context.needs_gradient(graph.output())) {
      context.start_phase(Phase::kBackward);
      context.start_pass(kLossNode, LayerPass::kBackward);
      loss->backward(context);
      passes.backward();
    }
    for (auto* const list : {&tasks.forward, &tasks.backward}) {
      for (DeviceLayerTask& task : *list) {
        if (task.is_product) products_.push_back(std::move(task));
      }
    }
  }

  void bind() {
    const std::array<std::span<const Buffer>, 1> programs{list_.buffers()};
    const MemoryPlan plan = plan_memory(programs);
    arena_.emplace(parts_.api, plan.arena_bytes);
    list_.bind(*arena_, plan.offsets.front());
  }

  void fill() {
    constexpr std::size_t kPieceBytes = std::size_t{4} << 20;
    const std::size_t piece_bytes = std::min(kPieceBytes, arena_->size_bytes());
    const std::vector<std::uint16_t> pairs = drawn_pairs(piece_bytes / sizeof(std::uint16_t));
    parts_.transfer.to_device(arena_->base(), pairs.data(), pairs.size() * sizeof(pairs[0]));
    for (std::size_t at = piece_bytes; at < arena_->size_bytes(); at += piece_bytes) {
      check_device(parts_.api.copy_on_device(arena_->base() + at, arena_->base(),
                                             std::min(piece_bytes, arena_->size_bytes() - at),
                                             stream()));
    }
    check_device(parts_.api.synchronize(stream()));
  }

  void enqueue(const DeviceLayerTask& product) {
    check_device(product.run(stream()), "products alone");
  }

  Stream stream() const noexcept { return parts_.stream.get(); }

  DeviceParts& parts_;
  bool captures_;
  DeviceParamStore store_;
  Lowering lowering_;
  BufferList list_;
  std::optional<BareArena> arena_;
  std::vector<DeviceLayerTask> products_;  // forward, then going back
  PhaseGraph graph_;
  std::optional<StepClock> clock_;
};

}  // namespace

std::unique_ptr<BareStep> make_device_bare_step(const ModelGraph& graph, const Lowering& lowering,
                                                DeviceParts& parts,
                                                const DeviceProgramOptions& options) {
  return std::make_unique<DeviceBareStep>(graph, lowering, parts, options);
}

}  // namespace penstock::train::cuda
