#include "train/backend/onednn/bare_convolutions.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <utility>

#include "train/backend/bfloat16.h"
#include "train/backend/gradient_flow.h"
#include "train/backend/host_arena.h"
#include "train/backend/onednn/parallel.h"
#include "train/backend/onednn/weighted_sizes.h"

namespace penstock::train::onednn {
namespace {

/// What passes share. A value and its gradient lie in one place: no pass takes both.
enum Place : std::uint8_t { kInput, kOutput, kBiasPlace, kScratch };
constexpr std::size_t kNumPlaces = 4;

constexpr std::array<std::pair<Arg, Place>, 7> kPlaces{{{Arg::kSrc, kInput},
                                                        {Arg::kDiffSrc, kInput},
                                                        {Arg::kDst, kOutput},
                                                        {Arg::kDiffDst, kOutput},
                                                        {Arg::kBias, kBiasPlace},
                                                        {Arg::kDiffBias, kBiasPlace},
                                                        {Arg::kScratchpad, kScratch}}};
/// What each has for itself: a step reads all of its weights from memory.
constexpr std::array kOwn{Arg::kWeights, Arg::kDiffWeights};

constexpr std::size_t page_aligned(std::size_t bytes) {
  constexpr std::size_t kPageBytes = 4096;
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

class BareConvolutions final : public BareStep {
 public:
  BareConvolutions(const ModelGraph& graph, const Lowering& lowering, const OneDnn& library,
                   unsigned num_threads)
      : num_threads_(num_threads), compute_(lowering.compute) {
    const ThreadScope threads(num_threads_);
    add_passes(graph, lowering, library);
    allocate();
  }

  std::size_t memory_bytes() const noexcept override { return memory_->size_bytes(); }

  void run() override {
    const ThreadScope threads(num_threads_);
    for (const Pass& pass : passes_) {
      clock_.time(pass.node, pass.kind, [&] { pass.op.run(); });
    }
  }

  std::vector<LayerTime> times() const override { return clock_.times(); }
  void reset_times() override { clock_ = {}; }

 private:
  struct Pass {
    NodeId node;
    LayerPass kind;
    PreparedOp op;
  };

  void add_passes(const ModelGraph& graph, const Lowering& lowering, const OneDnn& library) {
    const GradientFlow flow = gradient_flow(graph, lowering);
    std::vector<NodeId> weighted;
    for (NodeId id = 0; id < graph.nodes().size(); ++id) {
      if (has_weight_matrix(graph.node(id).op)) weighted.push_back(id);
    }
    const auto sizes_of = [&](NodeId id) {
      WeightedSizes sizes = weighted_sizes(graph, id, lowering);
      sizes.has_any_layout = true;
      return sizes;
    };
    for (const NodeId id : weighted) {
      WeightLayout any;
      passes_.push_back({id, LayerPass::kForward, library.forward(sizes_of(id), true, any)});
    }
    std::ranges::reverse(weighted);
    for (const NodeId id : weighted) {
      if (!flow.needs_gradient[id]) continue;
      const auto params = graph.parameters_of(id);
      const bool learns = std::ranges::any_of(params, [&](auto i) { return bool{flow.learns[i]}; });
      if (learns) {
        WeightLayout any;
        passes_.push_back({id, LayerPass::kWeightGradient,
                           library.backward_weights(weight_gradient_sizes(sizes_of(id)), any)});
      }
      if (!flow.needs_gradient[graph.node(id).inputs.front()]) continue;
      WeightLayout any;
      passes_.push_back({id, LayerPass::kBackward, library.backward_data(sizes_of(id), any)});
    }
  }

  void allocate() {
    std::array<std::size_t, kNumPlaces> bytes{};
    std::size_t own_bytes = 0;
    for (const Pass& pass : passes_) {
      for (const auto& [arg, place] : kPlaces) {
        bytes[place] = std::max(bytes[place], pass.op.bytes(arg));
      }
      for (const Arg arg : kOwn) own_bytes += page_aligned(pass.op.bytes(arg));
    }
    std::array<std::size_t, kNumPlaces> offsets{};
    std::size_t total = 0;
    for (std::size_t i = 0; i < kNumPlaces; ++i) {
      offsets[i] = total;
      total += page_aligned(bytes[i]);
    }
    memory_.emplace(page_aligned(total + own_bytes + 1));
    // Every pass reads something other than zeros, and pages that are there.
    if (compute_ == ComputeType::kBfloat16) {
      fill<Bfloat16>();
    } else {
      fill<float>();
    }
    for (Pass& pass : passes_) {
      for (const auto& [arg, place] : kPlaces) {
        if (pass.op.bytes(arg) > 0) pass.op.set(arg, memory_->base() + offsets[place]);
      }
      for (const Arg arg : kOwn) {
        if (pass.op.bytes(arg) > 0) pass.op.set(arg, memory_->base() + total);
        total += page_aligned(pass.op.bytes(arg));
      }
    }
  }

  template <class T>
  void fill() {
    auto* values = reinterpret_cast<T*>(memory_->base());
    for (std::size_t i = 0; i < memory_->size_bytes() / sizeof(T); ++i) {
      values[i] = rounded_to<T>(0.001f * static_cast<float>(i % 1009) - 0.5f);
    }
  }

  unsigned num_threads_;
  ComputeType compute_;
  std::vector<Pass> passes_;
  std::optional<HostArena> memory_;
  StepClock clock_;
};

}  // namespace

std::unique_ptr<BareStep> make_bare_convolutions(const ModelGraph& graph, const Lowering& lowering,
                                                 const OneDnn& library, unsigned num_threads) {
  return std::make_unique<BareConvolutions>(graph, lowering, library, num_threads);
}

}  // namespace penstock::train::onednn
