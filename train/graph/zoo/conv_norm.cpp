#include "train/graph/zoo/conv_norm.h"

#include <algorithm>

namespace penstock::train {

NodeId conv_norm(ModelGraph& graph, const ConvNormNames& names, NodeId from,
                 const ConvNorm& options) {
  const NodeId conv = graph.conv2d(names.conv, from,
                                   {.filters = options.filters,
                                    .kernel = {options.kernel, options.kernel},
                                    .stride = {options.stride, options.stride},
                                    .padding = PaddingRule::kSameSymmetric,
                                    .groups = options.groups,
                                    .has_bias = false,
                                    .init = {.rule = InitRule::kHeNormalFanOut}});
  return graph.batch_norm(names.norm, conv, options.norm);
}

NodeId conv_norm(ModelGraph& graph, const std::string& name, NodeId from, const ConvNorm& options) {
  const NodeId norm =
      conv_norm(graph, ConvNormNames{.conv = name + ".0", .norm = name + ".1"}, from, options);
  return options.activation ? graph.activation(name + ".2", norm, *options.activation) : norm;
}

NodeId squeeze_excite(ModelGraph& graph, const std::string& name, NodeId from,
                      const SqueezeExcite& options) {
  const auto dense = [&](const std::string& part, NodeId x, std::uint32_t filters) {
    return graph.conv2d(
        name + part, x,
        {.filters = filters, .kernel = {1, 1}, .init = {.rule = InitRule::kHeNormalFanOut}});
  };
  const std::uint32_t channels = graph.node(from).shape.channels;
  NodeId x = graph.global_avg_pool(name + ".avgpool", from);
  x = dense(".fc1", x, options.squeezed);
  x = graph.activation(name + ".activation", x, options.inner);
  x = dense(".fc2", x, channels);
  x = graph.activation(name + ".scale_activation", x, options.gate);
  return graph.multiply(name + ".scale", from, x);
}

std::uint32_t multiple_of_8(std::uint32_t channels) {
  const std::uint32_t nearest = std::max(8u, (channels + 4) / 8 * 8);
  return nearest * 10 < channels * 9 ? nearest + 8 : nearest;
}

}  // namespace penstock::train
