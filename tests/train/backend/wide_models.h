// Small models with more channels than a vector holds and a rest, on maps down to 1 x 1: what vector kernels
// get wrong at an end.
#pragma once

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

inline std::vector<ModelGraph> wide_models() {
  return {depthwise_model()};
}

}  // namespace penstock::train
