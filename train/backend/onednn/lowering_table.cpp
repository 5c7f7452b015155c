// Which nodes become which layer: the table of fusions, and the single nodes.
#include <algorithm>
#include <array>
#include <optional>
#include <variant>

#include "streamer/core/error.h"
#include "train/backend/onednn/layer.h"

namespace penstock::train::onednn {
namespace {

template <class Op>
const Op* op_of(const ModelGraph& graph, NodeId id) {
  return std::get_if<Op>(&graph.node(id).op);
}

bool is_relu(const ModelGraph& graph, NodeId id) {
  const auto* op = op_of<ActivationOp>(graph, id);
  return op != nullptr && op->kind == ActivationKind::kRelu;
}

bool is_max_pool(const ModelGraph& graph, NodeId id) {
  const auto* op = op_of<PoolOp>(graph, id);
  return op != nullptr && op->kind == PoolKind::kMax;
}

bool is_batch_norm(const ModelGraph& graph, NodeId id) {
  return op_of<BatchNormOp>(graph, id) != nullptr;
}

/// The one node that reads `id`, if it is one alone.
std::optional<NodeId> only_reader(const ModelGraph& graph, NodeId id) {
  const auto readers = graph.readers_of(id);
  return readers.size() == 1 ? std::optional(readers.front()) : std::nullopt;
}

/// Follows `first` through nodes that are read by one alone, as far as each suits its test; empty unless all
/// do.
template <std::size_t kCount>
NodeChain chain_from(const ModelGraph& graph, NodeId first,
                     const std::array<bool (*)(const ModelGraph&, NodeId), kCount>& tests) {
  NodeChain chain;
  std::optional<NodeId> id = first;
  for (const auto test : tests) {
    if (!id || !test(graph, *id)) return {};
    chain.push_back(*id);
    id = only_reader(graph, *id);
  }
  return chain;
}

bool is_activation(const ModelGraph& graph, NodeId id) {
  return op_of<ActivationOp>(graph, id) != nullptr;
}

NodeChain match_batch_norm_activation(const ModelGraph& graph, NodeId id) {
  return chain_from<2>(graph, id, {is_batch_norm, is_activation});
}

NodeChain match_batch_norm_relu_pool(const ModelGraph& graph, NodeId id) {
  return chain_from<3>(graph, id, {is_batch_norm, is_relu, is_max_pool});
}

bool is_sum_of_two(const ModelGraph& graph, NodeId id) {
  return op_of<AddOp>(graph, id) != nullptr && graph.node(id).inputs.size() == 2;
}

NodeChain match_batch_norm_add_relu(const ModelGraph& graph, NodeId id) {
  return chain_from<3>(graph, id, {is_batch_norm, is_sum_of_two, is_relu});
}

bool always(const ModelGraph&, const NodeChain&) {
  return true;
}

/// The windows of nhwc_pool_kernels.h, and those of nhwc_overlapping_pool_kernels.h.
bool has_fused_pool(const ModelGraph& graph, const NodeChain& nodes) {
  const Window& window = std::get<PoolOp>(graph.node(nodes.back()).op).window;
  if (window.stride != Extent{2, 2}) return false;
  if (window.kernel == Extent{2, 2}) return !window.has_padding();
  return window.kernel == Extent{3, 3} && window.pad_top == 1 && window.pad_left == 1 &&
         window.pad_bottom == 1 && window.pad_right == 1;
}

/// "batch_norm + relu"
std::string chain_text(const ModelGraph& graph, const NodeChain& nodes) {
  std::string text;
  for (const NodeId id : nodes) {
    text += (text.empty() ? "" : " + ") + std::string(operation_name(graph.node(id).op));
  }
  return text;
}

struct Fusion {
  NodeChain (*match)(const ModelGraph&, NodeId);  // from its first node on
  bool (*is_supported)(const ModelGraph&, const NodeChain&);
  const char* requirement;  // said when it matches but is not supported
  std::unique_ptr<Layer> (*make)(const TypedGraph&, const NodeChain&);
};

// The longest first.
constexpr std::array kFusions{
    Fusion{
        match_batch_norm_relu_pool, has_fused_pool,
        "fusing max_pool takes 2 x 2 windows without padding, or 3 x 3 ones padded by 1, at step 2",
        make_batch_norm_layer},
    Fusion{match_batch_norm_add_relu, always, "", make_residual_norm_layer},
    Fusion{match_batch_norm_activation, always, "", make_batch_norm_layer},
};

struct SingleLayer {
  const TypedGraph& model;
  NodeId id;

  std::unique_ptr<Layer> operator()(const Conv2dOp&) const {
    return make_weighted_layer(model, id);
  }
  std::unique_ptr<Layer> operator()(const DenseOp&) const { return make_weighted_layer(model, id); }
  std::unique_ptr<Layer> operator()(const BatchNormOp&) const {
    return make_batch_norm_layer(model, {id});
  }
  std::unique_ptr<Layer> operator()(const ActivationOp& op) const {
    return op.kind == ActivationKind::kRelu ? make_relu_layer(model, id)
                                            : make_activation_layer(model, id);
  }
  std::unique_ptr<Layer> operator()(const PoolOp&) const {
    return make_window_pool_layer(model, id);
  }
  std::unique_ptr<Layer> operator()(const AdaptivePoolOp& op) const {
    const bool is_global_average = op.kind == PoolKind::kAverage && op.output == Extent{1, 1};
    return is_global_average ? make_global_avg_pool_layer(model, id) : make_nchw_layer(model, id);
  }
  std::unique_ptr<Layer> operator()(const FlattenOp&) const {
    return make_flatten_layer(model, id);
  }
  std::unique_ptr<Layer> operator()(const DropoutOp&) const {
    return make_dropout_layer(model, id);
  }
  std::unique_ptr<Layer> operator()(const AddOp&) const { return make_add_layer(model, id); }
  std::unique_ptr<Layer> operator()(const MultiplyOp&) const {
    const auto& inputs = model.graph.node(id).inputs;
    const bool is_equal = model.graph.node(inputs[0]).shape == model.graph.node(inputs[1]).shape;
    return is_equal ? make_product_layer(model, id) : make_gate_layer(model, id);
  }
  std::unique_ptr<Layer> operator()(const ChannelScaleOp&) const {
    return make_channel_scale_layer(model, id);
  }
  std::unique_ptr<Layer> operator()(const ConcatOp&) const { return make_concat_layer(model, id); }
  std::unique_ptr<Layer> operator()(const GroupNormOp&) const {
    return make_group_norm_layer(model, id);
  }
  std::unique_ptr<Layer> operator()(const LayerNormOp&) const {
    return make_layer_norm_layer(model, id);
  }
  std::unique_ptr<Layer> operator()(const auto&) const { return make_nchw_layer(model, id); }
};

/// The layer that begins with `id`.
LoweredLayer make_layer(const ModelGraph& graph, const Lowering& lowering, NodeId id,
                        const std::vector<bool>& is_taken) {
  std::string refusals;
  for (const Fusion& fusion : kFusions) {
    if (!lowering.fuse) break;
    const NodeChain nodes = fusion.match(graph, id);
    // Of two norms that are added, the first has the sum.
    const auto taken = [&](NodeId node) { return bool{is_taken[node]}; };
    if (nodes.empty() || std::ranges::any_of(nodes, taken)) continue;
    if (fusion.is_supported(graph, nodes)) {
      const std::string why = refusals.empty() ? "" : "; " + refusals;
      return {nodes, fusion.make({graph, lowering.compute}, nodes),
              "fused " + chain_text(graph, nodes) + why};
    }
    refusals += std::string(refusals.empty() ? "" : "; ") + fusion.requirement;
  }
  return {
      {id}, std::visit(SingleLayer{{graph, lowering.compute}, id}, graph.node(id).op), refusals};
}

}  // namespace

std::vector<LoweredLayer> make_layers(const ModelGraph& graph, const Lowering& lowering) {
  std::vector<LoweredLayer> by_last_node(graph.nodes().size());
  std::vector<bool> is_taken(graph.nodes().size(), false);
  for (NodeId id = 1; id < graph.nodes().size(); ++id) {
    if (is_taken[id]) continue;
    LoweredLayer layer = make_layer(graph, lowering, id, is_taken);
    for (const NodeId node : layer.nodes) is_taken[node] = true;
    by_last_node[layer.nodes.back()] = std::move(layer);
  }
  std::vector<LoweredLayer> layers;
  for (LoweredLayer& layer : by_last_node) {
    if (layer.layer != nullptr) layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace penstock::train::onednn
