// MobileNetV2 (Sandler et al. 2018) and the small MobileNetV3 (Howard et al. 2019) as torchvision has them.
// Source  torchvision/models/mobilenetv2.py and mobilenetv3.py
#include <array>
#include <string>

#include "train/graph/zoo/conv_norm.h"
#include "train/graph/zoo/zoo_models.h"

namespace penstock::train {
namespace {

constexpr WeightInit kHeadInit{.rule = InitRule::kNormal, .deviation = 0.01};

// Table 2 of Sandler et al.: expansion t, channels c, blocks n, first stride s.
struct V2Stage {
  std::uint32_t expansion;
  std::uint32_t filters;
  std::uint32_t num_blocks;
  std::uint32_t stride;
};
constexpr std::array<V2Stage, 7> kV2Stages{{{1, 16, 1, 1},
                                            {6, 24, 2, 2},
                                            {6, 32, 3, 2},
                                            {6, 64, 4, 2},
                                            {6, 96, 3, 1},
                                            {6, 160, 3, 2},
                                            {6, 320, 1, 1}}};

NodeId v2_block(ModelGraph& graph, const std::string& name, NodeId from, const V2Stage& stage) {
  const std::uint32_t channels = graph.node(from).shape.channels;
  const std::uint32_t inner = channels * stage.expansion;
  int number = 0;
  const auto part = [&] { return name + ".conv." + std::to_string(number++); };
  NodeId x = from;
  if (stage.expansion != 1) {
    x = conv_norm(graph, part(), x,
                  {.filters = inner, .kernel = 1, .activation = ActivationKind::kRelu6});
  }
  x = conv_norm(graph, part(), x,
                {.filters = inner,
                 .stride = stage.stride,
                 .groups = inner,
                 .activation = ActivationKind::kRelu6});
  const std::string conv = part();
  x = conv_norm(graph, ConvNormNames{.conv = conv, .norm = part()}, x,
                {.filters = stage.filters, .kernel = 1});
  const bool is_residual = stage.stride == 1 && channels == stage.filters;
  return is_residual ? graph.add(name + ".add", from, x) : x;
}

// Table 2 of Howard et al.: kernel, inner channels, output channels, SE, HS or RE, stride.
struct V3Block {
  std::uint32_t kernel;
  std::uint32_t inner;
  std::uint32_t filters;
  bool has_squeeze;
  ActivationKind activation;
  std::uint32_t stride;
};
constexpr auto kRe = ActivationKind::kRelu;
constexpr auto kHs = ActivationKind::kHardSwish;
constexpr std::array<V3Block, 11> kV3SmallBlocks{{{3, 16, 16, true, kRe, 2},
                                                  {3, 72, 24, false, kRe, 2},
                                                  {3, 88, 24, false, kRe, 1},
                                                  {5, 96, 40, true, kHs, 2},
                                                  {5, 240, 40, true, kHs, 1},
                                                  {5, 240, 40, true, kHs, 1},
                                                  {5, 120, 48, true, kHs, 1},
                                                  {5, 144, 48, true, kHs, 1},
                                                  {5, 288, 96, true, kHs, 2},
                                                  {5, 576, 96, true, kHs, 1},
                                                  {5, 576, 96, true, kHs, 1}}};
constexpr BatchNormOptions kV3Norm{.epsilon = 0.001, .momentum = 0.01};

NodeId v3_block(ModelGraph& graph, const std::string& name, NodeId from, const V3Block& block) {
  const std::uint32_t channels = graph.node(from).shape.channels;
  int number = 0;
  const auto part = [&] { return name + ".block." + std::to_string(number++); };
  NodeId x = from;
  if (block.inner != channels) {
    x = conv_norm(
        graph, part(), x,
        {.filters = block.inner, .kernel = 1, .norm = kV3Norm, .activation = block.activation});
  }
  x = conv_norm(graph, part(), x,
                {.filters = block.inner,
                 .kernel = block.kernel,
                 .stride = block.stride,
                 .groups = block.inner,
                 .norm = kV3Norm,
                 .activation = block.activation});
  if (block.has_squeeze) {
    x = squeeze_excite(
        graph, part(), x,
        {.squeezed = multiple_of_8(block.inner / 4), .gate = ActivationKind::kHardSigmoid});
  }
  x = conv_norm(graph, part(), x, {.filters = block.filters, .kernel = 1, .norm = kV3Norm});
  const bool is_residual = block.stride == 1 && channels == block.filters;
  return is_residual ? graph.add(name + ".add", from, x) : x;
}

}  // namespace

ModelGraph mobilenet_v2(const ZooRequest& request) {
  ModelGraph graph("mobilenet_v2", request.input);
  NodeId x = conv_norm(graph, "features.0", graph.input(),
                       {.filters = 32, .stride = 2, .activation = ActivationKind::kRelu6});
  int number = 1;
  for (V2Stage stage : kV2Stages) {
    for (std::uint32_t i = 0; i < stage.num_blocks; ++i, stage.stride = 1) {
      x = v2_block(graph, "features." + std::to_string(number++), x, stage);
    }
  }
  x = conv_norm(graph, "features." + std::to_string(number), x,
                {.filters = 1280, .kernel = 1, .activation = ActivationKind::kRelu6});
  x = graph.global_avg_pool("avgpool", x);
  x = graph.dropout("classifier.0", x, 0.2);
  graph.set_output(
      graph.dense("classifier.1", x, {.units = request.num_classes, .init = kHeadInit}));
  return graph;
}

ModelGraph mobilenet_v3_small(const ZooRequest& request) {
  ModelGraph graph("mobilenet_v3_small", request.input);
  NodeId x = conv_norm(graph, "features.0", graph.input(),
                       {.filters = 16, .stride = 2, .norm = kV3Norm, .activation = kHs});
  int number = 1;
  for (const V3Block& block : kV3SmallBlocks) {
    x = v3_block(graph, "features." + std::to_string(number++), x, block);
  }
  x = conv_norm(graph, "features." + std::to_string(number), x,
                {.filters = 6 * kV3SmallBlocks.back().filters,
                 .kernel = 1,
                 .norm = kV3Norm,
                 .activation = kHs});
  x = graph.global_avg_pool("avgpool", x);
  x = graph.dense("classifier.0", x, {.units = 1024, .init = kHeadInit});
  x = graph.activation("classifier.1", x, kHs);
  x = graph.dropout("classifier.2", x, 0.2);
  graph.set_output(
      graph.dense("classifier.3", x, {.units = request.num_classes, .init = kHeadInit}));
  return graph;
}

}  // namespace penstock::train
