// The layers of a device program. Each is made for a node, or for a chain of nodes that its kernels fuse.
#pragma once

#include <memory>

#include "train/backend/cuda/device_lowering.h"

namespace penstock::train::cuda {

using DeviceLayerPtr = std::unique_ptr<DeviceLayer>;

/// A batch_norm, with an activation, or with the sum of it and another and a ReLU.
DeviceLayerPtr make_norm_layer(const TypedGraph& model, const NodeChain& nodes);

DeviceLayerPtr make_activation_layer(const TypedGraph& model, NodeId node);
DeviceLayerPtr make_softmax_layer(const TypedGraph& model, NodeId node);
DeviceLayerPtr make_random_drop_layer(const TypedGraph& model, NodeId node);

DeviceLayerPtr make_add_layer(const TypedGraph& model, NodeId node);
/// A product of two tensors of one shape.
DeviceLayerPtr make_product_layer(const TypedGraph& model, NodeId node);
/// A product of a tensor and one value for each of its channels.
DeviceLayerPtr make_gate_layer(const TypedGraph& model, NodeId node);
DeviceLayerPtr make_channel_scale_layer(const TypedGraph& model, NodeId node);
DeviceLayerPtr make_concat_layer(const TypedGraph& model, NodeId node);
DeviceLayerPtr make_flatten_layer(const TypedGraph& model, NodeId node);

DeviceLayerPtr make_window_pool_layer(const TypedGraph& model, NodeId node);
DeviceLayerPtr make_adaptive_pool_layer(const TypedGraph& model, NodeId node);

DeviceLayerPtr make_group_norm_layer(const TypedGraph& model, NodeId node);
DeviceLayerPtr make_layer_norm_layer(const TypedGraph& model, NodeId node);

DeviceLayerPtr make_convolution_layer(const TypedGraph& model, NodeId node);
DeviceLayerPtr make_dense_layer(const TypedGraph& model, NodeId node);

/// The loss on top of the logits. Its backward() takes no gradient.
DeviceLayerPtr make_device_loss_layer(const TypedGraph& model);

/// Makes a batch norm, its ReLU and the one convolution that reads that one layer, wherever the library has products
/// for it; where it has not, the convolution says so.
void fuse_norms_into_convolutions(DeviceLowering& context, std::vector<LoweredDeviceLayer>& layers);

/// Cuts a graph into layers by the table of fusions. Throws Unsupported for an operation of a user, which runs on
/// the host.
std::vector<LoweredDeviceLayer> make_device_layers(const ModelGraph& graph,
                                                   const Lowering& lowering);

}  // namespace penstock::train::cuda
