// Cuts a graph into layers by a backend's table of fusions: the first that matches, else node by node.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "train/backend/lowered_layer.h"
#include "train/backend/node_chain.h"
#include "train/backend/program.h"

namespace penstock::train {

/// A graph, and what its values are kept in.
struct TypedGraph {
  const ModelGraph& graph;
  ComputeType compute;
};

/// A row of the table.
template <class Context>
struct Fusion {
  NodeChain (*match)(const ModelGraph&, NodeId);  // from its first node on
  bool (*is_supported)(const ModelGraph&, const NodeChain&);
  const char* requirement;  // said when it matches but is not supported
  std::unique_ptr<BasicLayer<Context>> (*make)(const TypedGraph&, const NodeChain&);
};

template <class Context>
class LayerCut {
 public:
  using Lowered = BasicLoweredLayer<Context>;
  using MakeSingle = std::unique_ptr<BasicLayer<Context>> (*)(const TypedGraph&, NodeId);

  /// `fusions` by falling length.
  LayerCut(const ModelGraph& graph, const Lowering& lowering,
           std::span<const Fusion<Context>> fusions, MakeSingle make_single)
      : model_{graph, lowering.compute},
        fusions_(lowering.fuse ? fusions : std::span<const Fusion<Context>>()),
        make_single_(make_single),
        is_taken_(graph.nodes().size(), false) {}

  /// Each layer stands where its last node does, so that all its inputs come before.
  std::vector<Lowered> layers() {
    std::vector<Lowered> by_last_node(model_.graph.nodes().size());
    for (NodeId id = 1; id < model_.graph.nodes().size(); ++id) {
      if (is_taken_[id]) continue;
      Lowered layer = layer_from(id);
      for (const NodeId node : layer.nodes) is_taken_[node] = true;
      by_last_node[layer.nodes.back()] = std::move(layer);
    }
    std::erase_if(by_last_node, [](const Lowered& layer) { return layer.layer == nullptr; });
    return by_last_node;
  }

 private:
  Lowered layer_from(NodeId id) const {
    std::string refusals;
    for (const Fusion<Context>& fusion : fusions_) {
      const NodeChain nodes = fusion.match(model_.graph, id);
      // Of two norms that are added, the first has the sum.
      const auto taken = [&](NodeId node) { return bool{is_taken_[node]}; };
      if (nodes.empty() || std::ranges::any_of(nodes, taken)) continue;
      if (fusion.is_supported(model_.graph, nodes)) {
        const std::string why = refusals.empty() ? "" : "; " + refusals;
        return {nodes, fusion.make(model_, nodes),
                "fused " + chain_text(model_.graph, nodes) + why};
      }
      refusals += std::string(refusals.empty() ? "" : "; ") + fusion.requirement;
    }
    return {{id}, make_single_(model_, id), refusals};
  }

  TypedGraph model_;
  std::span<const Fusion<Context>> fusions_;
  MakeSingle make_single_;
  std::vector<bool> is_taken_;
};

}  // namespace penstock::train
