// Which nodes become which layer on a device: the table of fusions, and the single nodes.
#include <array>
#include <variant>

#include "streamer/core/error.h"
#include "train/backend/cuda/lowering/device_layers.h"

namespace penstock::train::cuda {
namespace {

bool always(const ModelGraph&, const NodeChain&) {
  return true;
}

// The longest first.
constexpr std::array kFusions{
    Fusion<DeviceLowering>{match_batch_norm_add_relu, always, "", make_norm_layer},
    Fusion<DeviceLowering>{match_batch_norm_activation, always, "", make_norm_layer},
};

struct SingleLayer {
  const TypedGraph& model;
  NodeId id;

  DeviceLayerPtr operator()(const InputOp&) const { return nullptr; }
  DeviceLayerPtr operator()(const Conv2dOp&) const { return make_convolution_layer(model, id); }
  DeviceLayerPtr operator()(const DenseOp&) const { return make_dense_layer(model, id); }
  DeviceLayerPtr operator()(const BatchNormOp&) const { return make_norm_layer(model, {id}); }
  DeviceLayerPtr operator()(const GroupNormOp&) const { return make_group_norm_layer(model, id); }
  DeviceLayerPtr operator()(const LayerNormOp&) const { return make_layer_norm_layer(model, id); }
  DeviceLayerPtr operator()(const ActivationOp&) const { return make_activation_layer(model, id); }
  DeviceLayerPtr operator()(const SoftmaxOp&) const { return make_softmax_layer(model, id); }
  DeviceLayerPtr operator()(const PoolOp&) const { return make_window_pool_layer(model, id); }
  DeviceLayerPtr operator()(const AdaptivePoolOp&) const {
    return make_adaptive_pool_layer(model, id);
  }
  DeviceLayerPtr operator()(const FlattenOp&) const { return make_flatten_layer(model, id); }
  DeviceLayerPtr operator()(const DropoutOp&) const { return make_random_drop_layer(model, id); }
  DeviceLayerPtr operator()(const ChannelScaleOp&) const {
    return make_channel_scale_layer(model, id);
  }
  DeviceLayerPtr operator()(const AddOp&) const { return make_add_layer(model, id); }
  DeviceLayerPtr operator()(const MultiplyOp&) const {
    const auto& inputs = model.graph.node(id).inputs;
    const bool is_equal = model.graph.node(inputs[0]).shape == model.graph.node(inputs[1]).shape;
    return is_equal ? make_product_layer(model, id) : make_gate_layer(model, id);
  }
  DeviceLayerPtr operator()(const ConcatOp&) const { return make_concat_layer(model, id); }
  DeviceLayerPtr operator()(const CustomOp&) const {
    throw Error(ErrorCode::kUnsupported,
                "model: " + model.graph.node(id).name +
                    ": expected an operation that a GPU has, found one of a program's own, which "
                    "runs on the host",
                "--device cpu");
  }
};

DeviceLayerPtr make_single_layer(const TypedGraph& model, NodeId id) {
  return std::visit(SingleLayer{model, id}, model.graph.node(id).op);
}

}  // namespace

std::vector<LoweredDeviceLayer> make_device_layers(const ModelGraph& graph,
                                                   const Lowering& lowering) {
  return LayerCut<DeviceLowering>(graph, lowering, kFusions, make_single_layer).layers();
}

}  // namespace penstock::train::cuda
