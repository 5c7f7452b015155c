// Small models that between them hold every operation in an unhandy form.
#pragma once

#include <vector>

#include "train/graph/model_graph.h"

namespace penstock::train {

/// Strides, asymmetric padding and biases, without batch norm.
inline ModelGraph strided_model() {
  ModelGraph graph("strided", {2, 8, 7});
  NodeId x = graph.conv2d("same2", graph.input(), {.filters = 5, .stride = {2, 2}});
  x = graph.relu("relu1", x);
  x = graph.conv2d("pad", x,
                   {.filters = 4,
                    .kernel = {3, 2},
                    .stride = {1, 2},
                    .padding = PaddingRule::kExplicit,
                    .pad = {1, 0}});
  x = graph.relu("relu2", x);
  x = graph.flatten("flat", x);
  x = graph.dense("hidden", x, {.units = 6});
  x = graph.relu("relu3", x);
  x = graph.dense("head", x, {.units = 3});
  graph.set_output(x);
  return graph;
}

/// Batch norm before ReLU and pools, fused, and before neither, not. Its convolutions have
/// no biases: before a batch norm their gradient is rounding and nothing else.
inline ModelGraph normalized_model() {
  ModelGraph graph("normalized", {3, 13, 14});
  NodeId x = graph.conv2d("conv1", graph.input(), {.filters = 6, .has_bias = false});
  x = graph.batch_norm("bn1", x);
  x = graph.relu("relu1", x);
  x = graph.max_pool("pool1", x);  // 6 x 7, the last row in no window
  x = graph.conv2d("conv2", x, {.filters = 18, .padding = PaddingRule::kValid, .has_bias = false});
  x = graph.batch_norm("bn2", x, {.epsilon = 1e-3, .momentum = 0.3});
  x = graph.relu("relu2", x);
  x = graph.max_pool(
      "pool2", x,
      {.window = {3, 3}, .stride = {2, 2}, .padding = PaddingRule::kExplicit, .pad = {1, 1}});
  x = graph.conv2d("conv3", x, {.filters = 7, .kernel = {1, 1}, .has_bias = false});
  x = graph.batch_norm("bn3", x);
  x = graph.global_avg_pool("gap", x);
  x = graph.dense("head", x, {.units = 4});
  graph.set_output(x);
  return graph;
}

/// Dropout over pictures and over flat values, batch norm and pool on the input itself.
inline ModelGraph dropping_model() {
  ModelGraph graph("dropping", {3, 6, 5});
  NodeId x = graph.batch_norm("bn0", graph.input());
  x = graph.max_pool("pool0", x, {.window = {2, 2}, .stride = {1, 1}});
  x = graph.conv2d("conv", x, {.filters = 5});
  x = graph.dropout("drop1", x, 0.4);
  x = graph.relu("relu", x);
  x = graph.flatten("flat", x);
  x = graph.dropout("drop2", x, 0.25);
  x = graph.dense("head", x, {.units = 3, .has_bias = false});
  graph.set_output(x);
  return graph;
}

/// Pools that pad below and right only: `same` over odd sides, and a window of 3 over even ones.
inline ModelGraph padded_pools_model() {
  ModelGraph graph("padded_pools", {2, 9, 11});
  NodeId x = graph.conv2d("conv1", graph.input(), {.filters = 5, .has_bias = false});
  x = graph.batch_norm("bn1", x);
  x = graph.relu("relu1", x);
  x = graph.max_pool("pool1", x, {.padding = PaddingRule::kSame});  // 5 x 6
  x = graph.conv2d("conv2", x, {.filters = 6, .kernel = {2, 1}, .padding = PaddingRule::kValid});
  x = graph.max_pool("pool2", x,
                     {.window = {3, 3}, .stride = {2, 2}, .padding = PaddingRule::kSame});  // 2 x 3
  x = graph.flatten("flat", x);
  x = graph.dense("head", x, {.units = 3});
  graph.set_output(x);
  return graph;
}

/// Fused pools over an odd width, then over an odd width and height of a few rows.
inline ModelGraph odd_width_model() {
  ModelGraph graph("odd_width", {3, 6, 7});
  NodeId x = graph.conv2d("conv1", graph.input(), {.filters = 17, .has_bias = false});
  x = graph.batch_norm("bn1", x);
  x = graph.relu("relu1", x);
  x = graph.max_pool("pool1", x);  // 3 x 3, the last column in no window
  x = graph.conv2d("conv2", x, {.filters = 4, .has_bias = false});
  x = graph.batch_norm("bn2", x);
  x = graph.relu("relu2", x);
  x = graph.max_pool("pool2", x);  // 1 x 1
  x = graph.flatten("flat", x);
  x = graph.dense("head", x, {.units = 3});
  graph.set_output(x);
  return graph;
}

/// Single pixels at step 2 and 3, of the input and of a few channels, beside a layer whose gradient lies near theirs.
inline ModelGraph picked_pixels_model() {
  ModelGraph graph("picked_pixels", {3, 15, 13});
  NodeId x = graph.conv2d("from_input", graph.input(),
                          {.filters = 8, .kernel = {1, 1}, .stride = {2, 1}, .has_bias = false});
  x = graph.conv2d("from_few", x,
                   {.filters = 12, .kernel = {1, 1}, .stride = {2, 2}, .has_bias = false});
  x = graph.batch_norm("bn", x);
  x = graph.relu("relu", x);
  x = graph.conv2d("after", x, {.filters = 16});
  x = graph.conv2d("from_many", x, {.filters = 5, .kernel = {1, 1}, .stride = {3, 3}});
  x = graph.global_avg_pool("gap", x);
  x = graph.dense("head", x, {.units = 3});
  graph.set_output(x);
  return graph;
}

inline std::vector<ModelGraph> odd_models() {
  return {strided_model(),      normalized_model(), dropping_model(),
          padded_pools_model(), odd_width_model(),  picked_pixels_model()};
}

}  // namespace penstock::train
