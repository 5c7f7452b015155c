// A model as a graph of operations with checked shapes. Knows nothing of batches, memory, devices
// or optimizers: a backend lowers the whole graph into a program (train/backend).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/graph/operations.h"

namespace penstock::train {

/// Index of a node in its graph; nodes are stored in an order in which inputs come first.
using NodeId = std::uint32_t;

/// One operation of a graph, its inputs and the shape of its output for one sample.
struct Node {
  std::string name;  // unique in the graph
  Operation op;
  std::vector<NodeId> inputs;
  TensorShape shape;
};

/// What a tensor of weights is for; decides its initial value and whether it decays.
enum class ParamKind : std::uint8_t {
  kConvWeight,   // [out, in, kernel height, kernel width]
  kDenseWeight,  // [out, in]
  kBias,         // [out]
  kScale,        // batch norm's gamma, [channels]
  kShift,        // batch norm's beta, [channels]
  kRunningMean,  // [channels], written by the forward pass in training
  kRunningVar,   // [channels], unbiased, written by the forward pass in training
};

/// A named tensor that belongs to a model: a weight, or a running statistic.
struct Parameter {
  std::string name;  // "<layer>.weight", "<layer>.running_mean"
  NodeId node = 0;
  ParamKind kind = ParamKind::kConvWeight;
  std::vector<std::uint32_t> shape;  // canonical: OIHW, [out, in], [channels]
  bool is_trainable = true;          // false: a running statistic
  bool decays = true;  // weight decay applies; by default not to biases and batch norm

  std::size_t num_elements() const noexcept;  // at most 2^40: the builder checks
};

/// A directed graph of operations from one input to one output of class scores (logits).
///
/// Every builder function checks shapes at once and returns the new node. The loss, softmax with
/// cross-entropy, is applied to the output by the backend.
/// Limits  2^40 elements in a tensor of weights and in one sample's values
/// Errors  InvalidArgument: `model: LAYER: expected SHAPE, found SHAPE`
class ModelGraph {
 public:
  ModelGraph(std::string name, TensorShape input);

  /// An empty layer name stands for the next free one: "conv2d_1".
  NodeId input() const noexcept { return 0; }
  NodeId conv2d(std::string name, NodeId from, const Conv2dOptions& options);
  NodeId batch_norm(std::string name, NodeId from, const BatchNormOptions& options = {});
  NodeId relu(std::string name, NodeId from);
  NodeId max_pool(std::string name, NodeId from, const MaxPoolOptions& options = {});
  NodeId global_avg_pool(std::string name, NodeId from);
  /// Flattens in the order channel, row, column, whatever layout a backend keeps.
  NodeId flatten(std::string name, NodeId from);
  NodeId dense(std::string name, NodeId from, const DenseOptions& options);
  NodeId dropout(std::string name, NodeId from, double rate);

  /// Names the node whose values are the logits. Every node must lead there.
  void set_output(NodeId logits);

  const std::string& name() const noexcept { return name_; }
  const TensorShape& input_shape() const noexcept { return nodes_.front().shape; }
  std::span<const Node> nodes() const noexcept { return nodes_; }
  const Node& node(NodeId id) const { return nodes_.at(id); }
  /// Throws InvalidArgument while set_output() has not been called.
  NodeId output() const;
  std::uint32_t num_classes() const { return node(output()).shape.channels; }

  /// All tensors that a file of weights holds, in the order of the nodes.
  std::span<const Parameter> parameters() const noexcept { return parameters_; }
  /// Indices into parameters() of those of one node, in the order in which they were made.
  std::span<const std::uint32_t> parameters_of(NodeId id) const { return params_of_.at(id); }

  /// Canonical text of the graph: part of the identity of a run. Equal text, equal mathematics.
  std::string identity() const;

 private:
  NodeId add(std::string name, Operation op, NodeId from, TensorShape shape);
  void add_parameter(NodeId node, std::string_view suffix, ParamKind kind,
                     std::vector<std::uint32_t> shape);
  const TensorShape& shape_of(const std::string& layer, NodeId from) const;
  std::string unique_name(std::string name, std::string_view kind) const;

  std::string name_;
  std::vector<Node> nodes_;
  std::vector<Parameter> parameters_;
  std::vector<std::vector<std::uint32_t>> params_of_;
  NodeId output_ = 0;
};

/// Returns the initial value of parameter `param_idx`, canonical layout: a pure function of
/// (seed, param_idx, shape), the same for every backend.
///
/// Weights  normal, mean 0, variance 2 / fan_in (He et al., Delving deep into rectifiers, 2015,
///          eq. 10) for convolutions; 1 / fan_in for dense layers. Biases and shifts 0, scales 1.
std::vector<float> initial_value(const ModelGraph& graph, std::uint32_t param_idx,
                                 std::uint64_t seed);

}  // namespace penstock::train
