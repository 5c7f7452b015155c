// Which nodes become which layer: the table of fusions, and the single nodes.
#include <array>
#include <variant>

#include "train/backend/onednn/layer.h"

namespace penstock::train::onednn {
namespace {

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

// The longest first.
constexpr std::array kFusions{
    Fusion<LoweringContext>{
        match_batch_norm_relu_pool, has_fused_pool,
        "fusing max_pool takes 2 x 2 windows without padding, or 3 x 3 ones padded by 1, at step 2",
        make_batch_norm_layer},
    Fusion<LoweringContext>{match_batch_norm_add_relu, always, "", make_residual_norm_layer},
    Fusion<LoweringContext>{match_batch_norm_activation, always, "", make_batch_norm_layer},
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

std::unique_ptr<Layer> make_single_layer(const TypedGraph& model, NodeId id) {
  return std::visit(SingleLayer{model, id}, model.graph.node(id).op);
}

}  // namespace

std::vector<LoweredLayer> make_layers(const ModelGraph& graph, const Lowering& lowering) {
  return LayerCut<LoweringContext>(graph, lowering, kFusions, make_single_layer).layers();
}

}  // namespace penstock::train::onednn
