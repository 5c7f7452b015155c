// EfficientNet-B0 (Tan and Le 2019, table 1) as torchvision has it.
// Source  torchvision/models/efficientnet.py
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "train/graph/zoo/conv_norm.h"
#include "train/graph/zoo/torch_init.h"
#include "train/graph/zoo/zoo_models.h"

namespace penstock::train {
namespace {

constexpr auto kSilu = ActivationKind::kSilu;

struct Stage {
  std::uint32_t expansion;
  std::uint32_t kernel;
  std::uint32_t stride;  // of the first block
  std::uint32_t filters;
  std::uint32_t num_blocks;
};
constexpr std::array<Stage, 7> kStages{{{1, 3, 1, 16, 1},
                                        {6, 3, 2, 24, 2},
                                        {6, 5, 2, 40, 2},
                                        {6, 3, 2, 80, 3},
                                        {6, 5, 1, 112, 3},
                                        {6, 5, 2, 192, 4},
                                        {6, 3, 1, 320, 1}}};
constexpr double kNumBlocks = 16;
/// Rate that the block after the last would have; it grows evenly from 0.
constexpr double kDropRate = 0.2;

NodeId mobile_block(ModelGraph& graph, const std::string& name, NodeId from, const Stage& stage,
                    double drop_rate) {
  const std::uint32_t channels = graph.node(from).shape.channels;
  const std::uint32_t inner = channels * stage.expansion;
  int number = 0;
  const auto part = [&] { return name + ".block." + std::to_string(number++); };
  NodeId x = from;
  if (stage.expansion != 1) {
    x = conv_norm(graph, part(), x, {.filters = inner, .kernel = 1, .activation = kSilu});
  }
  x = conv_norm(graph, part(), x,
                {.filters = inner,
                 .kernel = stage.kernel,
                 .stride = stage.stride,
                 .groups = inner,
                 .activation = kSilu});
  x = squeeze_excite(graph, part(), x, {.squeezed = std::max(1u, channels / 4), .inner = kSilu});
  x = conv_norm(graph, part(), x, {.filters = stage.filters, .kernel = 1});
  if (stage.stride != 1 || channels != stage.filters) return x;
  if (drop_rate > 0) x = graph.drop_samples(name + ".stochastic_depth", x, drop_rate);
  return graph.add(name + ".add", from, x);
}

}  // namespace

ModelGraph efficientnet_b0(const ZooRequest& request) {
  ModelGraph graph("efficientnet_b0", request.input);
  NodeId x = conv_norm(graph, "features.0", graph.input(),
                       {.filters = 32, .stride = 2, .activation = kSilu});
  int stage_number = 1;
  int block_number = 0;
  for (Stage stage : kStages) {
    const std::string name = "features." + std::to_string(stage_number++) + ".";
    for (std::uint32_t i = 0; i < stage.num_blocks; ++i, stage.stride = 1) {
      const double drop_rate = kDropRate * block_number++ / kNumBlocks;
      x = mobile_block(graph, name + std::to_string(i), x, stage, drop_rate);
    }
  }
  x = conv_norm(graph, "features." + std::to_string(stage_number), x,
                {.filters = 1280, .kernel = 1, .activation = kSilu});
  x = graph.global_avg_pool("avgpool", x);
  x = graph.dropout("classifier.0", x, 0.2);
  graph.set_output(graph.dense("classifier.1", x,
                               {.units = request.num_classes,
                                .init = even_init(1 / std::sqrt(double(request.num_classes)))}));
  return graph;
}

}  // namespace penstock::train
