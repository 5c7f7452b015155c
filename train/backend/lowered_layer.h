// One node of a graph, or several fused into one, on the way into a program. Context is a backend's ValueFlow.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/graph/model_graph.h"

namespace penstock::train {

/// Emits the work of its nodes; values lie in the backend's own layout.
template <class Context>
class BasicLayer {
 public:
  virtual ~BasicLayer() = default;

  /// Emits the forward tasks; reads the values of its inputs and sets those of its last node.
  virtual void forward(Context& context) = 0;

  /// Emits, going back, the tasks that compute the values of its last node a second time from those of its
  /// inputs, into a new buffer. Nothing else changes: running statistics have moved already.
  virtual void forward_again(Context& context) { forward(context); }

  /// Emits the backward tasks, after forward() was called for all layers: finds its values where they lie
  /// now, takes the gradient of its last node, gives those of its inputs that are needed.
  virtual void backward(Context& context) = 0;

  /// What the nodes were lowered to.
  virtual std::string explain() const = 0;
};

/// Nodes that become one layer, in the order of the values through them. Only the last one's values exist.
using NodeChain = std::vector<NodeId>;

template <class Context>
struct BasicLoweredLayer {
  NodeChain nodes;
  std::unique_ptr<BasicLayer<Context>> layer;
  std::string choice;  // the fusion taken, or why none was
};

/// Values from outside that the nodes of a layer read.
std::vector<NodeId> inputs_of(const ModelGraph& graph, const NodeChain& nodes);

}  // namespace penstock::train
