// VGG-11 with batch norm (Simonyan and Zisserman 2015, column A) as torchvision has it.
// Source  torchvision/models/vgg.py
#include <array>
#include <string>

#include "train/graph/zoo/zoo_models.h"

namespace penstock::train {
namespace {

constexpr std::uint32_t kPool = 0;
constexpr std::array<std::uint32_t, 13> kConfigurationA{64,  kPool, 128,   kPool, 256, 256,  kPool,
                                                        512, 512,   kPool, 512,   512, kPool};

/// Layers count from 0 in "features", those without weights too.
NodeId features(ModelGraph& graph) {
  NodeId x = graph.input();
  int number = 0;
  const auto next_name = [&number] { return "features." + std::to_string(number++); };
  for (const std::uint32_t filters : kConfigurationA) {
    if (filters == kPool) {
      x = graph.max_pool(next_name(), x);
      continue;
    }
    x = graph.conv2d(next_name(), x,
                     {.filters = filters, .init = {.rule = InitRule::kHeNormalFanOut}});
    x = graph.batch_norm(next_name(), x);
    x = graph.relu(next_name(), x);
  }
  return x;
}

}  // namespace

ModelGraph vgg11_bn(const ZooRequest& request) {
  ModelGraph graph("vgg11_bn", request.input);
  const auto dense = [&graph](const char* name, NodeId from, std::uint32_t units) {
    return graph.dense(name, from,
                       {.units = units, .init = {.rule = InitRule::kNormal, .deviation = 0.01}});
  };
  NodeId x = graph.adaptive_pool("avgpool", features(graph), PoolKind::kAverage, {7, 7});
  x = graph.flatten("flatten", x);
  x = graph.relu("classifier.1", dense("classifier.0", x, 4096));
  x = graph.dropout("classifier.2", x, 0.5);
  x = graph.relu("classifier.4", dense("classifier.3", x, 4096));
  x = graph.dropout("classifier.5", x, 0.5);
  graph.set_output(dense("classifier.6", x, request.num_classes));
  return graph;
}

}  // namespace penstock::train
