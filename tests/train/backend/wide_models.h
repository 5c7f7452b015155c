// Small models with more channels than a vector holds and a rest, on maps down to 1 x 1: what vector kernels
// get wrong at an end.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "train/graph/model_graph.h"

namespace penstock::train {

/// One filter for each channel: windows wider than the map, of more columns than registers hold sums, with
/// strides, gaps and padding on one side, with a bias and without.
inline ModelGraph depthwise_model() {
  ModelGraph graph("depthwise", {3, 11, 9});
  constexpr std::uint32_t kChannels = 35;
  const auto depthwise = [&](const std::string& name, NodeId from, Conv2dOptions options) {
    options.filters = kChannels;
    options.groups = kChannels;
    options.init = {.rule = InitRule::kGlorotUniform};
    return graph.conv2d(name, from, options);
  };
  NodeId x = graph.conv2d("stem", graph.input(), {.filters = kChannels});
  x = depthwise("row_of_ten", x, {.kernel = {1, 10}, .padding = PaddingRule::kSame});
  x = depthwise("five", x,
                {.kernel = {5, 5},
                 .stride = {2, 1},
                 .padding = PaddingRule::kSameSymmetric,
                 .has_bias = false});  // 6 x 9
  x = depthwise("gaps", x,
                {.kernel = {2, 3}, .padding = PaddingRule::kValid, .dilation = {3, 2}});  // 3 x 5
  x = depthwise("seven", x, {.kernel = {7, 7}, .padding = PaddingRule::kSameSymmetric});
  x = depthwise("strided", x, {.kernel = {3, 3}, .stride = {3, 2}, .padding = PaddingRule::kSame});
  x = graph.global_avg_pool("gap", x);
  x = depthwise("one_place", x, {.kernel = {3, 3}, .padding = PaddingRule::kSameSymmetric});
  x = graph.flatten("flat", x);
  x = graph.dense("head", x, {.units = 4});
  graph.set_output(x);
  return graph;
}

/// Every activation alone and behind a batch norm: alone over values that nobody else reads, then over some
/// that are read twice, and over the picture itself.
inline ModelGraph activations_model() {
  ModelGraph graph("activations", {3, 7, 5});
  constexpr std::array kKinds{ActivationKind::kRelu6,       ActivationKind::kLeakyRelu,
                              ActivationKind::kSilu,        ActivationKind::kHardSwish,
                              ActivationKind::kHardSigmoid, ActivationKind::kSigmoid,
                              ActivationKind::kGelu};
  // No biases: hard_sigmoid hands on a constant as it is, and a batch norm takes it away.
  constexpr Conv2dOptions kPointwise{
      .filters = 19, .kernel = {1, 1}, .has_bias = false, .init = {InitRule::kGlorotUniform}};
  NodeId x = graph.activation("of_picture", graph.input(), ActivationKind::kGelu);
  x = graph.conv2d("stem", x, {.filters = 19});
  for (const ActivationKind kind : kKinds) {
    const std::string name(activation_name(kind));
    NodeId branch = graph.activation(name + "_alone", x, kind, 0.2);
    branch = graph.conv2d(name + "_conv", branch, kPointwise);
    branch = graph.activation(name + "_after", branch, kind, 0.2);
    branch = graph.conv2d(name + "_conv2", branch, kPointwise);
    branch = graph.batch_norm(name + "_norm", branch, {.initial_scale = 2});
    branch = graph.activation(name + "_fused", branch, kind, 0.2);
    x = graph.add(name + "_sum", x, branch);
  }
  x = graph.global_avg_pool("gap", x);
  x = graph.dense("head", x, {.units = 4});
  graph.set_output(x);
  return graph;
}

/// Gates over whole maps and over 1 x 1, products, a square, concatenations of wide and narrow tensors and of
/// one twice, layer norm and layer scale over places and over flat values.
inline ModelGraph joins_model() {
  ModelGraph graph("joins", {3, 5, 4});
  NodeId x = graph.conv2d("stem", graph.input(), {.filters = 35});
  x = graph.layer_norm("norm", x, {.epsilon = 1e-3});
  NodeId gate = graph.global_avg_pool("squeeze", x);
  gate = graph.conv2d("reduce", gate, {.filters = 17, .kernel = {1, 1}});
  gate = graph.activation("silu", gate, ActivationKind::kSilu);
  gate = graph.conv2d("expand", gate, {.filters = 35, .kernel = {1, 1}});
  gate = graph.activation("gate", gate, ActivationKind::kSigmoid);
  x = graph.multiply("excite", x, gate);
  const NodeId narrow = graph.conv2d("narrow", x, {.filters = 2, .kernel = {1, 1}});
  const NodeId square = graph.multiply("square", narrow, narrow);
  x = graph.channel_scale("scale", x, 0.7);
  x = graph.concat("both", std::array{narrow, x, square, narrow});
  x = graph.multiply("of_picture", graph.conv2d("three", x, {.filters = 3}), graph.input());
  x = graph.concat("picture_too", std::array{x, graph.input()});
  x = graph.conv2d("mix", x, {.filters = 33});
  x = graph.global_avg_pool("gap", x);
  const NodeId flat_gate = graph.dense("flat_gate", x, {.units = 33});
  x = graph.multiply("one_place", x, flat_gate);
  x = graph.channel_scale("flat_scale", x, 1.3);
  x = graph.layer_norm("flat_norm", x);
  x = graph.dense("head", x, {.units = 4});
  graph.set_output(x);
  return graph;
}

inline std::vector<ModelGraph> wide_models() {
  return {depthwise_model(), activations_model(), joins_model()};
}

}  // namespace penstock::train
