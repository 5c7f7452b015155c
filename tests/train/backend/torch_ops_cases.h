// The cases of tests/interop/torch_ops.py as graphs: one operation, "op", or one chain that is fused.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>

#include "train/graph/model_graph.h"

namespace penstock::train {

/// Adds the operation to a graph that has its inputs, and returns its output.
using OpBuilder = std::function<NodeId(ModelGraph&, std::span<const NodeId>)>;

inline OpBuilder conv_case(const Conv2dOptions& options) {
  return [=](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.conv2d("op", x[0], options);
  };
}

/// A convolution that pads both sides alike, or not at all.
inline OpBuilder padded_conv_case(Conv2dOptions options, Extent pad) {
  options.padding = PaddingRule::kExplicit;
  options.pad = pad;
  return conv_case(options);
}

inline OpBuilder activation_case(ActivationKind kind, double slope = 0.01) {
  return [=](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.activation("op", x[0], kind, slope);
  };
}

inline OpBuilder max_pool_case(const PoolOptions& options) {
  return [=](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.max_pool("op", x[0], options);
  };
}

inline OpBuilder avg_pool_case(const PoolOptions& options) {
  return [=](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.avg_pool("op", x[0], options);
  };
}

inline OpBuilder adaptive_pool_case(PoolKind kind, Extent output) {
  return [=](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.adaptive_pool("op", x[0], kind, output);
  };
}

inline OpBuilder batch_norm_case(const BatchNormOptions& options = {}) {
  return [=](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.batch_norm("op", x[0], options);
  };
}

/// batch_norm + relu + max_pool.
inline OpBuilder norm_relu_pool_case(const PoolOptions& pool) {
  return [=](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.max_pool("pool", graph.relu("relu", graph.batch_norm("op", x[0])), pool);
  };
}

inline OpBuilder group_norm_case(const GroupNormOptions& options) {
  return [=](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.group_norm("op", x[0], options);
  };
}

inline OpBuilder multiply_case(std::size_t tensor, std::size_t factor) {
  return [=](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.multiply("op", x[tensor], x[factor]);
  };
}

inline void add_convolutions(std::map<std::string, OpBuilder>& cases) {
  constexpr Extent kTwo{2, 2};
  cases["conv"] = padded_conv_case({.filters = 4}, {1, 1});
  cases["conv_1x1_map"] = padded_conv_case({.filters = 4}, {1, 1});
  cases["conv_pointwise"] =
      padded_conv_case({.filters = 5, .kernel = {1, 1}, .has_bias = false}, {0, 0});
  cases["conv_stride_2"] = padded_conv_case({.filters = 4, .stride = kTwo}, {1, 1});
  cases["conv_sides_differ"] = padded_conv_case(
      {.filters = 5, .kernel = {3, 2}, .stride = {1, 2}, .has_bias = false}, {2, 0});
  cases["conv_dilated"] = padded_conv_case({.filters = 4, .dilation = {2, 3}}, {2, 3});
  cases["conv_grouped"] = padded_conv_case({.filters = 6, .groups = 2}, {1, 1});
  cases["conv_grouped_dilated_stride_2"] = padded_conv_case(
      {.filters = 3, .stride = kTwo, .dilation = kTwo, .groups = 3, .has_bias = false}, kTwo);
  cases["conv_depthwise"] = padded_conv_case({.filters = 5, .groups = 5}, {1, 1});
  cases["conv_depthwise_two_filters"] =
      padded_conv_case({.filters = 6, .stride = kTwo, .groups = 3}, {1, 1});
  cases["keras_conv_stride_2"] = conv_case({.filters = 4, .stride = kTwo});
  cases["keras_conv_even_window"] = conv_case({.filters = 3, .kernel = {4, 2}});
  cases["keras_conv_dilated_stride_2"] =
      conv_case({.filters = 3, .stride = kTwo, .dilation = kTwo});
  cases["dense"] = [](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.dense("op", graph.flatten("flat", x[0]), {.units = 5});
  };
  cases["flatten_dense"] = [](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.dense("op", graph.flatten("flat", x[0]), {.units = 4, .has_bias = false});
  };
}

inline void add_norms(std::map<std::string, OpBuilder>& cases) {
  cases["batch_norm"] = cases["batch_norm_1x1_map"] = batch_norm_case();
  cases["batch_norm_fixed"] = batch_norm_case();  // the test fixes it
  cases["batch_norm_settings"] = batch_norm_case({.epsilon = 0.1, .momentum = 0.3});
  cases["batch_norm_relu"] = [](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.relu("relu", graph.batch_norm("op", x[0]));
  };
  cases["batch_norm_relu_pool"] = norm_relu_pool_case({});
  cases["batch_norm_relu_wide_pool"] = norm_relu_pool_case(
      {.window = {3, 3}, .stride = {2, 2}, .padding = PaddingRule::kExplicit, .pad = {1, 1}});
  cases["batch_norm_add_relu"] = [](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.relu("relu", graph.add("sum", graph.batch_norm("op", x[0]), x[1]));
  };
  cases["group_norm_1"] = group_norm_case({.groups = 1});
  cases["group_norm_3"] = group_norm_case({.groups = 3});
  cases["group_norm_6"] = group_norm_case({.groups = 6});
  cases["group_norm_1x1_map"] = group_norm_case({.groups = 2, .epsilon = 0.1});
  cases["layer_norm"] = [](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.layer_norm("op", x[0]);
  };
  cases["layer_norm_flat"] = [](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.layer_norm("op", graph.flatten("flat", x[0]), {.epsilon = 1e-2});
  };
  cases["channel_scale"] = [](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.channel_scale("op", x[0], 1.0);
  };
}

inline void add_activations(std::map<std::string, OpBuilder>& cases) {
  cases["relu"] = activation_case(ActivationKind::kRelu);
  cases["relu6"] = activation_case(ActivationKind::kRelu6);
  cases["leaky_relu"] = activation_case(ActivationKind::kLeakyRelu);
  cases["leaky_relu_slope"] = activation_case(ActivationKind::kLeakyRelu, 0.3);
  cases["silu"] = activation_case(ActivationKind::kSilu);
  cases["hard_swish"] = activation_case(ActivationKind::kHardSwish);
  cases["hard_sigmoid"] = activation_case(ActivationKind::kHardSigmoid);
  cases["sigmoid"] = activation_case(ActivationKind::kSigmoid);
  cases["gelu"] = activation_case(ActivationKind::kGelu);
  cases["softmax"] = [](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.softmax("op", x[0]);
  };
  cases["softmax_flat"] = [](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.softmax("op", graph.flatten("flat", x[0]));
  };
}

inline void add_pools(std::map<std::string, OpBuilder>& cases) {
  const PoolOptions padded{
      .window = {3, 3}, .stride = {2, 2}, .padding = PaddingRule::kExplicit, .pad = {1, 1}};
  const PoolOptions same{.window = {3, 3}, .stride = {2, 2}, .padding = PaddingRule::kSame};
  cases["max_pool"] = max_pool_case({});
  cases["max_pool_overlapping"] = max_pool_case({.window = {3, 3}, .stride = {1, 1}});
  cases["max_pool_padded"] = cases["max_pool_1x1_map"] = max_pool_case(padded);
  cases["keras_max_pool"] = max_pool_case(same);
  cases["keras_max_pool_odd"] = max_pool_case({.padding = PaddingRule::kSame});
  cases["avg_pool"] = avg_pool_case({.window = {2, 3}, .stride = {2, 1}});
  // What stands for nothing is the library's own: PyTorch counts the padding, Keras does not.
  cases["avg_pool_padding_counted"] = avg_pool_case(padded);
  cases["keras_avg_pool_padding_left_out"] = avg_pool_case(same);
  PoolOptions other = padded;
  other.counts_padding = false;
  cases["avg_pool_padding_left_out"] = avg_pool_case(other);
  other = same;
  other.counts_padding = true;
  cases["keras_avg_pool_padding_counted"] = avg_pool_case(other);
  cases["global_avg_pool"] = adaptive_pool_case(PoolKind::kAverage, {1, 1});
  cases["global_max_pool"] = adaptive_pool_case(PoolKind::kMax, {1, 1});
  cases["adaptive_avg_pool"] = adaptive_pool_case(PoolKind::kAverage, {3, 2});
  cases["adaptive_avg_pool_wider"] = adaptive_pool_case(PoolKind::kAverage, {7, 7});
  cases["adaptive_max_pool"] = adaptive_pool_case(PoolKind::kMax, {3, 2});
}

inline void add_joins(std::map<std::string, OpBuilder>& cases) {
  cases["add"] = [](ModelGraph& graph, std::span<const NodeId> x) { return graph.add("op", x); };
  cases["add_three_one_twice"] = [](ModelGraph& graph, std::span<const NodeId> x) {
    const NodeId inputs[] = {x[0], x[1], x[0]};
    return graph.add("op", inputs);
  };
  cases["multiply"] = cases["multiply_factors"] = multiply_case(0, 1);
  cases["multiply_itself"] = multiply_case(0, 0);
  cases["concat"] = [](ModelGraph& graph, std::span<const NodeId> x) {
    return graph.concat("op", x);
  };
}

/// By the names of the file.
inline std::map<std::string, OpBuilder> torch_ops_cases() {
  std::map<std::string, OpBuilder> cases;
  add_convolutions(cases);
  add_norms(cases);
  add_activations(cases);
  add_pools(cases);
  add_joins(cases);
  return cases;
}

}  // namespace penstock::train
