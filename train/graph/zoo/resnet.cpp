// ResNet-18, 34 and 50 (He et al. 2016) as torchvision has them: padding alike on both sides, and in
// ResNet-50 the stride in the 3 x 3 convolution.
// Source  torchvision/models/resnet.py
#include <array>
#include <string>

#include "train/graph/zoo/conv_norm.h"
#include "train/graph/zoo/torch_init.h"
#include "train/graph/zoo/zoo_models.h"

namespace penstock::train {
namespace {

struct ResNet {
  const char* name = "";
  std::array<std::uint32_t, 4> num_blocks{};
  /// Channels of a block's output for one inside: 4 with three convolutions, 1 with two.
  std::uint32_t expansion = 1;
};

struct BlockWish {
  std::string name;
  std::uint32_t width = 0;
  std::uint32_t expansion = 1;
  std::uint32_t stride = 1;
  double last_gamma = 1;
};

ConvNormNames numbered(const BlockWish& block, int number) {
  const std::string n = std::to_string(number);
  return {.conv = block.name + ".conv" + n, .norm = block.name + ".bn" + n};
}

NodeId inner_part(ModelGraph& graph, const BlockWish& block, NodeId from) {
  const auto step = [&](int number, NodeId x, const ConvNorm& options) {
    x = conv_norm(graph, numbered(block, number), x, options);
    return graph.relu(block.name + ".relu" + std::to_string(number), x);
  };
  const BatchNormOptions last{.initial_scale = block.last_gamma};
  if (block.expansion == 1) {
    const NodeId x = step(1, from, {.filters = block.width, .stride = block.stride});
    return conv_norm(graph, numbered(block, 2), x, {.filters = block.width, .norm = last});
  }
  NodeId x = step(1, from, {.filters = block.width, .kernel = 1});
  x = step(2, x, {.filters = block.width, .stride = block.stride});
  return conv_norm(graph, numbered(block, 3), x,
                   {.filters = block.width * block.expansion, .kernel = 1, .norm = last});
}

NodeId residual_block(ModelGraph& graph, const BlockWish& block, NodeId from) {
  const std::uint32_t filters = block.width * block.expansion;
  const NodeId inner = inner_part(graph, block, from);
  NodeId shortcut = from;
  if (block.stride != 1 || graph.node(from).shape.channels != filters) {
    shortcut = conv_norm(graph, block.name + ".downsample", from,
                         {.filters = filters, .kernel = 1, .stride = block.stride});
  }
  return graph.relu(block.name + ".relu", graph.add(block.name + ".add", inner, shortcut));
}

ModelGraph resnet(const ResNet& net, const ZooRequest& request) {
  ModelGraph graph(net.name, request.input);
  NodeId x = conv_norm(graph, ConvNormNames{.conv = "conv1", .norm = "bn1"}, graph.input(),
                       {.filters = 64, .kernel = 7, .stride = 2});
  x = graph.relu("relu", x);
  x = graph.max_pool(
      "maxpool", x,
      {.window = {3, 3}, .stride = {2, 2}, .padding = PaddingRule::kExplicit, .pad = {1, 1}});
  std::uint32_t width = 64;
  for (std::size_t stage = 0; stage < net.num_blocks.size(); ++stage, width *= 2) {
    for (std::uint32_t i = 0; i < net.num_blocks[stage]; ++i) {
      x = residual_block(graph,
                         {.name = "layer" + std::to_string(stage + 1) + "." + std::to_string(i),
                          .width = width,
                          .expansion = net.expansion,
                          .stride = stage > 0 && i == 0 ? 2u : 1u,
                          .last_gamma = request.options.zero_gamma ? 0.0 : 1.0},
                         x);
    }
  }
  x = graph.global_avg_pool("avgpool", x);
  const double fan_in = graph.node(x).shape.channels;
  graph.set_output(
      graph.dense("fc", x, {.units = request.num_classes, .init = torch_default_init(fan_in)}));
  return graph;
}

}  // namespace

ModelGraph resnet18(const ZooRequest& request) {
  return resnet({.name = "resnet18", .num_blocks = {2, 2, 2, 2}}, request);
}

ModelGraph resnet34(const ZooRequest& request) {
  return resnet({.name = "resnet34", .num_blocks = {3, 4, 6, 3}}, request);
}

ModelGraph resnet50(const ZooRequest& request) {
  return resnet({.name = "resnet50", .num_blocks = {3, 4, 6, 3}, .expansion = 4}, request);
}

}  // namespace penstock::train
