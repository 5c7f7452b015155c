// Small models with branches that between them hold every operation that no chain of odd_models.h has.
#pragma once

#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "train/graph/custom_operation.h"
#include "train/graph/model_graph.h"

namespace penstock::train {

/// Residual blocks: the input of the first is read by three nodes, the second adds what it was given, and a
/// gradient is handed to two nodes that both would write over it.
inline ModelGraph residual_model() {
  ModelGraph graph("residual", {3, 9, 8});
  NodeId x = graph.conv2d("stem", graph.input(), {.filters = 6, .has_bias = false});
  x = graph.batch_norm("stem_bn", x);
  x = graph.relu("stem_relu", x);
  NodeId left = graph.conv2d("left1", x, {.filters = 7, .stride = {2, 2}, .has_bias = false});
  left = graph.batch_norm("left1_bn", left);
  left = graph.relu("left1_relu", left);
  left = graph.conv2d("left2", left, {.filters = 7, .has_bias = false});
  left = graph.batch_norm("left2_bn", left, {.initial_scale = 0.5});
  NodeId right = graph.conv2d("right", x,
                              {.filters = 7,
                               .kernel = {1, 1},
                               .stride = {2, 2},
                               .padding = PaddingRule::kValid,
                               .has_bias = false});
  right = graph.batch_norm("right_bn", right);
  const NodeId third =
      graph.max_pool("third", graph.conv2d("third_conv", x, {.filters = 7, .kernel = {2, 2}}),
                     {.window = {2, 2}, .padding = PaddingRule::kSame});
  x = graph.add("sum1", std::array{left, right, third});
  x = graph.relu("relu1", x);
  NodeId inner = graph.relu("inner_relu", x);
  inner = graph.conv2d("inner", inner, {.filters = 7});
  x = graph.add("sum2", x, inner);
  x = graph.add("twice", x, x);
  x = graph.global_avg_pool("gap", x);
  x = graph.dense("head", x, {.units = 3});
  graph.set_output(x);
  return graph;
}

/// Blocks as in a ResNet: one adds its own input, one a normalized projection, and the last norm is the sum's
/// second term. 17 channels: whole vectors and a rest.
inline ModelGraph resnet_blocks_model() {
  ModelGraph graph("resnet_blocks", {3, 8, 7});
  const auto conv = [&](const std::string& name, NodeId from, std::uint32_t filters,
                        std::uint32_t stride) {
    const NodeId id = graph.conv2d(
        name, from, {.filters = filters, .stride = {stride, stride}, .has_bias = false});
    return graph.batch_norm(name + "_bn", id, {.initial_scale = 0.8});
  };
  NodeId x = graph.relu("stem", conv("stem_conv", graph.input(), 17, 1));
  NodeId inner = conv("a2", graph.relu("a1_relu", conv("a1", x, 17, 1)), 17, 1);
  x = graph.relu("a", graph.add("a_sum", inner, x));
  inner = conv("b2", graph.relu("b1_relu", conv("b1", x, 18, 2)), 18, 1);
  const NodeId projected = conv("b_projection", x, 18, 2);
  x = graph.relu("b", graph.add("b_sum", inner, projected));
  inner = conv("c2", graph.relu("c1_relu", conv("c1", x, 18, 1)), 18, 1);
  x = graph.relu("c", graph.add("c_sum", x, inner));
  x = graph.global_avg_pool("gap", x);
  x = graph.dense("head", x, {.units = 4});
  graph.set_output(x);
  return graph;
}

/// Groups, depthwise windows with gaps, squeeze-and-excite, products of two tensors, concatenation.
inline ModelGraph mobile_model() {
  ModelGraph graph("mobile", {4, 8, 9});
  NodeId x = graph.conv2d("grouped", graph.input(), {.filters = 6, .groups = 2});
  x = graph.activation("act1", x, ActivationKind::kHardSwish);
  x = graph.conv2d("depthwise", x,
                   {.filters = 6,
                    .kernel = {3, 2},
                    .padding = PaddingRule::kSameSymmetric,
                    .dilation = {2, 1},
                    .groups = 6,
                    .has_bias = false});
  NodeId squeezed = graph.global_avg_pool("squeeze", x);
  squeezed = graph.conv2d("reduce", squeezed, {.filters = 3, .kernel = {1, 1}});
  squeezed = graph.activation("act2", squeezed, ActivationKind::kSilu);
  squeezed = graph.conv2d("expand", squeezed, {.filters = 6, .kernel = {1, 1}});
  squeezed = graph.activation("gate", squeezed, ActivationKind::kHardSigmoid);
  x = graph.multiply("excite", x, squeezed);
  const NodeId other = graph.activation("leaky", x, ActivationKind::kLeakyRelu, 0.2);
  const NodeId squares = graph.multiply("squares", x, other);
  x = graph.concat("both", std::array{x, squares, other});
  x = graph.conv2d("mix", x, {.filters = 5, .kernel = {1, 1}});
  x = graph.softmax("shares", x);
  x = graph.adaptive_pool("regions", x, PoolKind::kAverage, {3, 2});
  x = graph.flatten("flat", x);
  x = graph.dense("head", x, {.units = 4});
  graph.set_output(x);
  return graph;
}

/// The norms of samples, layer scale, and activations that are smooth.
inline ModelGraph normed_samples_model() {
  ModelGraph graph("normed_samples", {3, 6, 7});
  NodeId x = graph.conv2d("conv1", graph.input(), {.filters = 8});
  x = graph.group_norm("group_norm", x, {.groups = 4});
  x = graph.activation("gelu", x, ActivationKind::kGelu);
  NodeId block =
      graph.conv2d("conv2", x, {.filters = 8, .groups = 8, .init = {InitRule::kGlorotUniform}});
  block = graph.layer_norm("layer_norm", block, {.epsilon = 1e-3});
  block = graph.activation("sigmoid", block, ActivationKind::kSigmoid);
  block = graph.channel_scale("scale", block, 0.7);
  block = graph.drop_samples("depth", block, 0.3);
  x = graph.add("sum", x, block);
  const NodeId means = graph.avg_pool(
      "means", x,
      {.window = {3, 3}, .stride = {2, 2}, .padding = PaddingRule::kExplicit, .pad = {1, 1}});
  const NodeId inside = graph.avg_pool(
      "inside", x, {.window = {3, 3}, .stride = {2, 2}, .padding = PaddingRule::kSame});
  x = graph.add("pools", means, inside);
  x = graph.activation("relu6", x, ActivationKind::kRelu6);
  x = graph.adaptive_pool("largest", x, PoolKind::kMax, {2, 3});
  x = graph.flatten("flat", x);
  x = graph.layer_norm("flat_norm", x);
  x = graph.dense("head", x, {.units = 3});
  graph.set_output(x);
  return graph;
}

/// y = a[c] * x1 * |x2|, with one learned factor for each channel.
class GatedProduct final : public CustomOperation {
 public:
  std::string name() const override { return "gated_product"; }
  TensorShape output_shape(std::span<const TensorShape> inputs) const override { return inputs[0]; }
  std::vector<CustomParameter> parameters(std::span<const TensorShape> inputs) const override {
    return {{.name = "factor",
             .shape = {inputs[0].channels},
             .initial = {DrawShape::kConstant, 0.5},
             .decays = true}};
  }
  std::uint64_t forward_flops(std::span<const TensorShape> inputs) const override {
    return 3 * inputs[0].num_elements();
  }
  void forward(const CustomTensors& t, float* output) const override {
    for_each(t, [&](std::size_t i, std::size_t c) {
      output[i] = t.params[0][c] * t.inputs[0][i] * std::abs(t.inputs[1][i]);
    });
  }
  void backward(const CustomTensors& t, const float* dy, std::span<float* const> dx,
                std::span<float* const> dparams) const override {
    for_each(t, [&](std::size_t i, std::size_t c) {
      const float a = t.params[0][c];
      const float size = std::abs(t.inputs[1][i]);
      if (dx[0] != nullptr) dx[0][i] += dy[i] * a * size;
      if (dx[1] != nullptr) {
        dx[1][i] += dy[i] * a * t.inputs[0][i] * (t.inputs[1][i] < 0 ? -1.0f : 1.0f);
      }
      if (dparams[0] != nullptr) dparams[0][c] += dy[i] * t.inputs[0][i] * size;
    });
  }

 private:
  template <class Visit>
  static void for_each(const CustomTensors& t, Visit&& visit) {
    const TensorShape& shape = t.input_shapes[0];
    for (std::size_t i = 0; i < t.batch * shape.num_elements(); ++i) {
      visit(i, i / shape.area() % shape.channels);
    }
  }
};

inline ModelGraph custom_model() {
  ModelGraph graph("custom", {2, 5, 4});
  const NodeId a = graph.conv2d("a", graph.input(), {.filters = 3});
  const NodeId b = graph.conv2d("b", graph.input(), {.filters = 3, .kernel = {1, 1}});
  NodeId x = graph.custom("gated", std::array{a, b}, std::make_shared<GatedProduct>());
  x = graph.flatten("flat", x);
  x = graph.dense("head", x, {.units = 3});
  graph.set_output(x);
  return graph;
}

inline std::vector<ModelGraph> branched_models() {
  return {residual_model(), resnet_blocks_model(), mobile_model(), normed_samples_model(),
          custom_model()};
}

}  // namespace penstock::train
