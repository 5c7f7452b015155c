#include "train/backend/onednn/bare_convolutions.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "train/backend/bfloat16.h"
#include "train/backend/gradient_flow.h"
#include "train/backend/host_arena.h"
#include "train/backend/onednn/fastest_candidate.h"
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
/// In the library's own layout and in NHWC: for grouped convolutions the first may be many times slower.
constexpr std::array kHasAnyLayout{true, false};

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
    keep_fastest_ways();
    allocate();  // without what only the slower ones took
  }

  std::size_t memory_bytes() const noexcept override { return memory_->size_bytes(); }

  void run() override {
    const ThreadScope threads(num_threads_);
    for (const Pass& pass : passes_) {
      clock_.time(pass.node, pass.kind, [&] { pass.ways.front().run(); });
    }
  }

  std::vector<LayerTime> times() const override { return clock_.times(); }
  void reset_times() override { clock_ = {}; }

 private:
  struct Pass {
    NodeId node;
    LayerPass kind;
    std::vector<PreparedOp> ways;  // the fastest alone, once it is known

    std::size_t bytes(Arg arg) const {
      std::size_t most = 0;
      for (const PreparedOp& op : ways) most = std::max(most, op.bytes(arg));
      return most;
    }
  };

  using Prepare = PreparedOp (*)(const OneDnn&, const WeightedSizes&, WeightLayout&);

  static std::vector<PreparedOp> prepare_ways(const OneDnn& library, WeightedSizes sizes,
                                              Prepare prepare) {
    std::vector<PreparedOp> ways;
    for (const bool has_any_layout : kHasAnyLayout) {
      if (sizes.is_dense && !has_any_layout) continue;  // flat: there is one layout
      sizes.has_any_layout = has_any_layout;
      WeightLayout any;
      ways.push_back(prepare(library, sizes, any));
    }
    return ways;
  }

  void add_passes(const ModelGraph& graph, const Lowering& lowering, const OneDnn& library) {
    const GradientFlow flow = gradient_flow(graph, lowering);
    std::vector<NodeId> weighted;
    for (NodeId id = 0; id < graph.nodes().size(); ++id) {
      if (has_weight_matrix(graph.node(id).op)) weighted.push_back(id);
    }
    const auto add = [&](NodeId id, LayerPass kind, Prepare prepare) {
      passes_.push_back(
          {id, kind, prepare_ways(library, weighted_sizes(graph, id, lowering), prepare)});
    };
    for (const NodeId id : weighted) {
      add(id, LayerPass::kForward,
          [](const OneDnn& from, const WeightedSizes& sizes, WeightLayout& layout) {
            return from.forward(sizes, true, layout);
          });
    }
    std::ranges::reverse(weighted);
    for (const NodeId id : weighted) {
      if (!flow.needs_gradient[id]) continue;
      const auto params = graph.parameters_of(id);
      const bool learns = std::ranges::any_of(params, [&](auto i) { return bool{flow.learns[i]}; });
      if (learns) {
        add(id, LayerPass::kWeightGradient,
            [](const OneDnn& from, const WeightedSizes& sizes, WeightLayout& layout) {
              return from.backward_weights(weight_gradient_sizes(sizes), layout);
            });
      }
      if (!flow.needs_gradient[graph.node(id).inputs.front()]) continue;
      add(id, LayerPass::kBackward,
          [](const OneDnn& from, const WeightedSizes& sizes, WeightLayout& layout) {
            return from.backward_data(sizes, layout);
          });
    }
  }

  /// Later runs are of these alone.
  void keep_fastest_ways() {
    constexpr unsigned kRounds = 4;  // the first of them warms up
    using Clock = std::chrono::steady_clock;
    const auto run_s = [&](std::size_t pass_idx, std::size_t way_idx) {
      const std::vector<PreparedOp>& ways = passes_[pass_idx].ways;
      const auto start = Clock::now();
      ways[std::min(way_idx, ways.size() - 1)].run();
      return std::chrono::duration<double>(Clock::now() - start).count();
    };
    const std::vector<std::size_t> fastest =
        fastest_candidates(passes_.size(), kHasAnyLayout.size(), kRounds, run_s);
    for (std::size_t i = 0; i < passes_.size(); ++i) {
      std::vector<PreparedOp>& ways = passes_[i].ways;
      std::swap(ways.front(), ways[std::min(fastest[i], ways.size() - 1)]);
      ways.erase(ways.begin() + 1, ways.end());
    }
  }

  void allocate() {
    std::array<std::size_t, kNumPlaces> bytes{};
    std::size_t own_bytes = 0;
    for (const Pass& pass : passes_) {
      for (const auto& [arg, place] : kPlaces) {
        bytes[place] = std::max(bytes[place], pass.bytes(arg));
      }
      for (const Arg arg : kOwn) own_bytes += page_aligned(pass.bytes(arg));
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
      const auto place_at = [&](Arg arg, std::byte* memory) {
        for (PreparedOp& op : pass.ways) {
          if (op.bytes(arg) > 0) op.set(arg, memory);
        }
      };
      for (const auto& [arg, place] : kPlaces) place_at(arg, memory_->base() + offsets[place]);
      for (const Arg arg : kOwn) {
        place_at(arg, memory_->base() + total);
        total += page_aligned(pass.bytes(arg));
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
