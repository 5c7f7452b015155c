// One node of a graph, or several fused into one, on the way into a program.
#pragma once

#include <memory>
#include <vector>

#include "train/backend/bfloat16.h"
#include "train/backend/layer_cut.h"
#include "train/backend/onednn/lowering_context.h"

namespace penstock::train::onednn {

/// Values on their way through the graph, NHWC.
using Layer = BasicLayer<LoweringContext>;
using LoweredLayer = BasicLoweredLayer<LoweringContext>;

/// Cuts a graph into layers by the table of fusions.
std::vector<LoweredLayer> make_layers(const ModelGraph& graph, const Lowering& lowering);

/// Makes LayerOf<T> for the type T that values are kept in.
template <template <class> class LayerOf, class... Args>
std::unique_ptr<Layer> make_layer_of(ComputeType compute, const Args&... args) {
  if (compute == ComputeType::kBfloat16) return std::make_unique<LayerOf<Bfloat16>>(args...);
  return std::make_unique<LayerOf<float>>(args...);
}

std::unique_ptr<Layer> make_weighted_layer(const TypedGraph& model, NodeId node);
/// `nodes` holds a batch_norm, then an activation when there are 2, or a relu and a max_pool when there are 3: of
/// 2 x 2 windows without overlap, or of 3 x 3 ones at step 2, padded by 1.
std::unique_ptr<Layer> make_batch_norm_layer(const TypedGraph& model, const NodeChain& nodes);
/// `nodes` holds a batch_norm, the add of it and another, and a relu.
std::unique_ptr<Layer> make_residual_norm_layer(const TypedGraph& model, const NodeChain& nodes);
std::unique_ptr<Layer> make_window_pool_layer(const TypedGraph& model, NodeId node);
std::unique_ptr<Layer> make_relu_layer(const TypedGraph& model, NodeId node);
std::unique_ptr<Layer> make_global_avg_pool_layer(const TypedGraph& model, NodeId node);
std::unique_ptr<Layer> make_flatten_layer(const TypedGraph& model, NodeId node);
std::unique_ptr<Layer> make_dropout_layer(const TypedGraph& model, NodeId node);
std::unique_ptr<Layer> make_add_layer(const TypedGraph& model, NodeId node);
/// Other activations than relu.
std::unique_ptr<Layer> make_activation_layer(const TypedGraph& model, NodeId node);
/// A product of two tensors of one shape.
std::unique_ptr<Layer> make_product_layer(const TypedGraph& model, NodeId node);
/// A product of a tensor and one value for each of its channels.
std::unique_ptr<Layer> make_gate_layer(const TypedGraph& model, NodeId node);
std::unique_ptr<Layer> make_channel_scale_layer(const TypedGraph& model, NodeId node);
std::unique_ptr<Layer> make_concat_layer(const TypedGraph& model, NodeId node);
std::unique_ptr<Layer> make_group_norm_layer(const TypedGraph& model, NodeId node);
std::unique_ptr<Layer> make_layer_norm_layer(const TypedGraph& model, NodeId node);
/// Any operation without a layer of its own.
std::unique_ptr<Layer> make_nchw_layer(const TypedGraph& model, NodeId node);

/// The loss on top of the logits. Its backward() takes no gradient.
std::unique_ptr<Layer> make_loss_layer(const TypedGraph& model);

/// Where a task finds a buffer's values: the arena, or the batch in place.
template <class T>
const T* values_at(const BufferList& list, BufferId buffer, const RunContext& run) {
  return buffer == kPixels ? reinterpret_cast<const T*>(run.batch->pixels) : list.at<T>(buffer);
}

}  // namespace penstock::train::onednn
