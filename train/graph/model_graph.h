// A model as a graph of operations with checked shapes. Knows nothing of batches, memory, devices
// or optimizers: a backend lowers the whole graph into a program (train/backend).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "train/graph/layer_options.h"
#include "train/graph/operations.h"

namespace penstock::train {

/// Index of a node in its graph; nodes are stored in an order in which inputs come first.
using NodeId = std::uint32_t;

/// One operation of a graph, its inputs and the shape of its output for one sample.
struct Node {
  std::string name;  // unique in the graph: letters, digits, _, - and dots ("layer1.0.conv1")
  Operation op;
  std::vector<NodeId> inputs;
  TensorShape shape;
};

/// What a tensor of weights is for; decides whether it decays.
enum class ParamKind : std::uint8_t {
  kConvWeight,    // [out, in / groups, kernel height, kernel width]
  kDenseWeight,   // [out, in]
  kBias,          // [out]
  kScale,         // a norm's gamma, [channels]
  kShift,         // a norm's beta, [channels]
  kRunningMean,   // [channels], written by the forward pass in training
  kRunningVar,    // [channels], unbiased, written by the forward pass in training
  kChannelScale,  // [channels]
  kCustom,
};

/// A named tensor that belongs to a model: a weight, or a running statistic.
struct Parameter {
  std::string name;  // "<layer>.weight", "<layer>.running_mean"
  NodeId node = 0;
  ParamKind kind = ParamKind::kConvWeight;
  std::vector<std::uint32_t> shape;  // canonical: OIHW, [out, in], [channels]
  bool is_trainable = true;          // false: a running statistic
  bool decays = true;                // weight decay applies; by default not to biases and norms
  Initializer initial{};

  std::size_t num_elements() const noexcept;  // at most 2^40: the builder checks
};

/// A directed graph of operations without cycles, from one input to one output of class scores (logits).
///
/// Every builder function checks shapes at once and returns the new node. The loss is applied to the output
/// by the backend.
/// Limits  2^40 elements in a tensor of weights and in one sample's values
/// Errors  InvalidArgument: `model: LAYER: expected SHAPE, found SHAPE`
class ModelGraph {
 public:
  ModelGraph(std::string name, TensorShape input);

  /// An empty layer name stands for the next free one: "conv2d_1".
  NodeId input() const noexcept { return 0; }
  NodeId conv2d(std::string name, NodeId from, const Conv2dOptions& options);
  NodeId dense(std::string name, NodeId from, const DenseOptions& options);
  NodeId batch_norm(std::string name, NodeId from, const BatchNormOptions& options = {});
  NodeId group_norm(std::string name, NodeId from, const GroupNormOptions& options = {});
  NodeId layer_norm(std::string name, NodeId from, const LayerNormOptions& options = {});
  /// `slope` is leaky_relu's alone.
  NodeId activation(std::string name, NodeId from, ActivationKind kind, double slope = 0.01);
  NodeId relu(std::string name, NodeId from) {
    return activation(std::move(name), from, ActivationKind::kRelu);
  }
  NodeId softmax(std::string name, NodeId from);
  NodeId max_pool(std::string name, NodeId from, const PoolOptions& options = {});
  NodeId avg_pool(std::string name, NodeId from, const PoolOptions& options = {});
  NodeId adaptive_pool(std::string name, NodeId from, PoolKind kind, Extent output);
  NodeId global_avg_pool(std::string name, NodeId from) {
    return adaptive_pool(std::move(name), from, PoolKind::kAverage, {1, 1});
  }
  NodeId global_max_pool(std::string name, NodeId from) {
    return adaptive_pool(std::move(name), from, PoolKind::kMax, {1, 1});
  }
  /// Flattens in the order channel, row, column, whatever layout a backend keeps.
  NodeId flatten(std::string name, NodeId from);
  NodeId dropout(std::string name, NodeId from, double rate);
  /// Drops whole samples (stochastic depth), rate 0 to below 1.
  NodeId drop_samples(std::string name, NodeId from, double rate);
  /// `initial` is every channel's factor before the first step.
  NodeId channel_scale(std::string name, NodeId from, double initial);
  NodeId add(std::string name, std::span<const NodeId> from);
  NodeId add(std::string name, NodeId a, NodeId b) { return add(std::move(name), {{a, b}}); }
  NodeId multiply(std::string name, NodeId tensor, NodeId factor);
  NodeId concat(std::string name, std::span<const NodeId> from);
  NodeId custom(std::string name, std::span<const NodeId> from,
                std::shared_ptr<const CustomOperation> operation);

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
  /// Nodes that read the values of `id`, in order; one that reads them twice stands twice.
  std::span<const NodeId> readers_of(NodeId id) const { return readers_of_.at(id); }

  /// Canonical text of the graph: part of the identity of a run. Equal text, equal mathematics.
  std::string identity() const;

 private:
  NodeId push(std::string name, Operation op, std::vector<NodeId> from, const TensorShape& shape);
  NodeId push_pool(std::string name, NodeId from, PoolKind kind, const PoolOptions& options);
  NodeId push_dropout(std::string name, NodeId from, double rate, bool drops_samples);
  NodeId push_norm(std::string name, Operation op, NodeId from, double initial_scale);
  void push_parameter(NodeId node, std::string_view suffix, ParamKind kind,
                      std::vector<std::uint32_t> shape, const Initializer& initial = {});
  const TensorShape& shape_of(const std::string& layer, NodeId from) const;
  std::vector<TensorShape> shapes_of(const std::string& layer, std::span<const NodeId> from) const;
  std::string unique_name(std::string name, std::string_view kind);

  std::string name_;
  std::vector<Node> nodes_;
  std::unordered_set<std::string> names_;  // of nodes_
  std::unordered_map<std::string, std::size_t>
      last_numbers_;  // of names that were found, by operation
  std::vector<Parameter> parameters_;
  std::vector<std::vector<std::uint32_t>> params_of_;
  std::vector<std::vector<NodeId>> readers_of_;
  NodeId output_ = 0;
};

/// Returns the initial value of parameter `param_idx`, canonical layout: a pure function of
/// (seed, param_idx, initializer), the same for every backend.
std::vector<float> initial_value(const ModelGraph& graph, std::uint32_t param_idx,
                                 std::uint64_t seed);

}  // namespace penstock::train
