#include "train/plan/recompute_sets.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <variant>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"

namespace penstock::train {
namespace {

template <class... Ops>
bool is_any_of(const ModelGraph& graph, NodeId id) {
  return (std::holds_alternative<Ops>(graph.node(id).op) || ...);
}

/// One pass over memory, from inputs that are kept. A sum's activation is not: its sum is often nowhere in
/// memory (backends write the two as one), and the terms lead back to the block before.
bool is_cheap(const ModelGraph& graph, NodeId id) {
  if (!is_any_of<BatchNormOp, GroupNormOp, LayerNormOp, ActivationOp, DropoutOp, ChannelScaleOp>(
          graph, id)) {
    return false;
  }
  return !is_any_of<AddOp>(graph, graph.node(id).inputs.front());
}

/// Whether every way through the graph goes through the values of `id`.
std::vector<bool> cut_nodes(const ModelGraph& graph) {
  std::vector<bool> is_cut;
  NodeId furthest = 0;  // that reads values from before `id`
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    is_cut.push_back(furthest <= id);
    for (const NodeId reader : graph.readers_of(id)) furthest = std::max(furthest, reader);
  }
  return is_cut;
}

/// Whether backends may write the values of `id` and its reader as one.
bool may_be_fused(const ModelGraph& graph, NodeId id) {
  return std::ranges::any_of(graph.readers_of(id), [&](NodeId reader) {
    return is_any_of<ActivationOp, PoolOp, AdaptivePoolOp, DropoutOp, FlattenOp>(graph, reader);
  });
}

struct Stretches {
  std::vector<bool> dropped;
  std::size_t num_values = 0;  // kept ones and those of the largest stretch, for one sample
};

/// Keeps a node of `ends` whenever `least` values lie behind it since the one before.
Stretches stretches_of(const ModelGraph& graph, const std::vector<bool>& ends, std::size_t least) {
  Stretches found{.dropped = std::vector<bool>(graph.nodes().size(), false)};
  std::size_t since = 0;
  std::size_t longest = 0;
  for (NodeId id = 1; id < graph.nodes().size(); ++id) {
    const std::size_t own = graph.node(id).shape.num_elements();
    if (id == graph.output() || (ends[id] && since >= least)) {
      found.num_values += own;
      since = 0;
      continue;
    }
    found.dropped[id] = true;
    since += own;
    longest = std::max(longest, since);
  }
  found.num_values += longest;
  return found;
}

/// The stretches that need least, of those between even and as short as can be.
std::vector<bool> block_nodes(const ModelGraph& graph) {
  std::vector<bool> ends = cut_nodes(graph);
  std::size_t all = 0;
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    ends[id] = ends[id] && !may_be_fused(graph, id);
    all += graph.node(id).shape.num_elements();
  }
  constexpr std::size_t kMostStretches = 64;
  Stretches best = stretches_of(graph, ends, 0);
  for (std::size_t count = 1; count <= kMostStretches; ++count) {
    Stretches tried = stretches_of(graph, ends, all / count);
    if (tried.num_values < best.num_values) best = std::move(tried);
  }
  return best.dropped;
}

}  // namespace

namespace {

constexpr std::array<std::string_view, 4> kNames = {"none", "norms", "blocks", "auto"};

}  // namespace

std::string_view recompute_name(Recompute level) noexcept {
  return kNames[static_cast<std::size_t>(level)];
}

std::string_view recompute_wish_name(RecomputeWish wish) noexcept {
  return kNames[static_cast<std::size_t>(wish)];
}

RecomputeWish parse_recompute(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found != kNames.end()) return static_cast<RecomputeWish>(found - kNames.begin());
  throw Error(ErrorCode::kInvalidArgument,
              "recompute: expected none, norms, blocks or auto, found '" + std::string(name) + "'",
              nearest_name_hint(name, kNames));
}

std::vector<bool> recomputed_nodes(const ModelGraph& graph, Recompute level) {
  if (level == Recompute::kNone) return {};
  if (level == Recompute::kBlocks) return block_nodes(graph);
  std::vector<bool> nodes(graph.nodes().size(), false);
  for (NodeId id = 1; id < graph.nodes().size(); ++id) {
    nodes[id] = id != graph.output() && is_cheap(graph, id);
  }
  return nodes;
}

}  // namespace penstock::train
