// ConvNeXt-T (Liu et al. 2022) as torchvision has it. Its Linear layers over the channels of one place are
// 1 x 1 convolutions here: the same values in the same order, [out, in] as [out, in, 1, 1].
// Source  torchvision/models/convnext.py
#include <array>
#include <string>

#include "train/graph/zoo/zoo_models.h"

namespace penstock::train {
namespace {

struct Stage {
  std::uint32_t width;
  std::uint32_t num_blocks;
};
constexpr std::array<Stage, 4> kStages{{{96, 3}, {192, 3}, {384, 9}, {768, 3}}};
constexpr double kNumBlocks = 18;
/// Rate of the last block; it grows evenly from 0 at the first.
constexpr double kDropRate = 0.1;
constexpr double kInitialLayerScale = 1e-6;
constexpr LayerNormOptions kNorm{.epsilon = 1e-6};
// trunc_normal_ of deviation 0.02 cuts at -2 and 2, a hundred deviations out.
constexpr WeightInit kInit{.rule = InitRule::kNormal, .deviation = 0.02};

NodeId pointwise(ModelGraph& graph, const std::string& name, NodeId from, std::uint32_t filters) {
  return graph.conv2d(name, from, {.filters = filters, .kernel = {1, 1}, .init = kInit});
}

/// A convolution whose windows do not overlap.
NodeId patches(ModelGraph& graph, const std::string& name, NodeId from, std::uint32_t filters,
               std::uint32_t side) {
  return graph.conv2d(name, from,
                      {.filters = filters,
                       .kernel = {side, side},
                       .stride = {side, side},
                       .padding = PaddingRule::kValid,
                       .init = kInit});
}

NodeId block(ModelGraph& graph, const std::string& name, NodeId from, double drop_rate) {
  const std::uint32_t width = graph.node(from).shape.channels;
  NodeId x = graph.conv2d(name + ".block.0", from,
                          {.filters = width,
                           .kernel = {7, 7},
                           .padding = PaddingRule::kSameSymmetric,
                           .groups = width,
                           .init = kInit});
  x = graph.layer_norm(name + ".block.2", x, kNorm);
  x = pointwise(graph, name + ".block.3", x, 4 * width);
  x = graph.activation(name + ".block.4", x, ActivationKind::kGelu);
  x = pointwise(graph, name + ".block.5", x, width);
  x = graph.channel_scale(name, x, kInitialLayerScale);  // NAME.layer_scale
  if (drop_rate > 0) x = graph.drop_samples(name + ".stochastic_depth", x, drop_rate);
  return graph.add(name + ".add", from, x);
}

}  // namespace

ModelGraph convnext_tiny(const ZooRequest& request) {
  ModelGraph graph("convnext_tiny", request.input);
  int number = 0;
  const auto next_name = [&number] { return "features." + std::to_string(number++); };
  const std::string stem = next_name();
  NodeId x = patches(graph, stem + ".0", graph.input(), kStages.front().width, 4);
  x = graph.layer_norm(stem + ".1", x, kNorm);
  int block_number = 0;
  for (const Stage& stage : kStages) {
    if (&stage != &kStages.front()) {
      const std::string name = next_name();
      x = graph.layer_norm(name + ".0", x, kNorm);
      x = patches(graph, name + ".1", x, stage.width, 2);
    }
    const std::string name = next_name();
    for (std::uint32_t i = 0; i < stage.num_blocks; ++i) {
      const double drop_rate = kDropRate * block_number++ / (kNumBlocks - 1);
      x = block(graph, name + "." + std::to_string(i), x, drop_rate);
    }
  }
  x = graph.global_avg_pool("avgpool", x);
  x = graph.layer_norm("classifier.0", x, kNorm);
  graph.set_output(graph.dense("classifier.2", x, {.units = request.num_classes, .init = kInit}));
  return graph;
}

}  // namespace penstock::train
