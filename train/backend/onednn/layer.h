// One node of a graph, or several fused into one, on the way into a program.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/backend/onednn/lowering_context.h"

namespace penstock::train::onednn {

/// Values on their way through the graph, NHWC.
class Layer {
 public:
  virtual ~Layer() = default;

  /// Emits the forward tasks that read `x`; returns the buffer of the output.
  virtual BufferId forward(LoweringContext& context, BufferId x) = 0;

  /// Emits the backward tasks that read `dy`, which they may overwrite, after forward() was called
  /// for all layers. Returns the gradient by the input, or kNoBuffer when it is not needed.
  virtual BufferId backward(LoweringContext& context, BufferId dy, bool needs_dx) = 0;

  /// What the nodes were lowered to.
  virtual std::string explain() const = 0;
};

/// Nodes [first, first + count) as one layer.
struct NodeRun {
  NodeId first = 0;
  NodeId count = 1;
};

struct LoweredLayer {
  NodeRun nodes;
  std::unique_ptr<Layer> layer;
  std::string choice;  // the fusion taken, or why none was
};

/// Cuts a graph into layers: the first fusion of the table that matches, else node by node.
std::vector<LoweredLayer> make_layers(const ModelGraph& graph, const Lowering& lowering);

std::unique_ptr<Layer> make_weighted_layer(const ModelGraph& graph, NodeId node);
/// `nodes` holds a batch_norm, then a relu when count is 2, then a 2 x 2 max_pool when it is 3.
std::unique_ptr<Layer> make_batch_norm_layer(const ModelGraph& graph, NodeRun nodes);
std::unique_ptr<Layer> make_max_pool_layer(const ModelGraph& graph, NodeId node);
std::unique_ptr<Layer> make_relu_layer(const ModelGraph& graph, NodeId node);
std::unique_ptr<Layer> make_global_avg_pool_layer(const ModelGraph& graph, NodeId node);
std::unique_ptr<Layer> make_flatten_layer(const ModelGraph& graph, NodeId node);
std::unique_ptr<Layer> make_dropout_layer(const ModelGraph& graph, NodeId node);

/// The loss on top of the logits. Its backward() takes no gradient.
std::unique_ptr<Layer> make_loss_layer(const ModelGraph& graph);

/// Where a task finds a buffer's values: the arena, or the batch in place.
inline const float* values_at(const BufferList& list, BufferId buffer, const RunContext& run) {
  return buffer == kPixels ? run.batch->pixels_f32() : list.at<float>(buffer);
}

}  // namespace penstock::train::onednn
