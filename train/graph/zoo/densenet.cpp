// DenseNet-121 (Huang et al. 2017, table 1) as torchvision has it. Each layer joins its 32 channels to all
// that came before, one concatenation a layer.
// Source  torchvision/models/densenet.py
#include <array>
#include <string>

#include "train/graph/zoo/torch_init.h"
#include "train/graph/zoo/zoo_models.h"

namespace penstock::train {
namespace {

constexpr std::uint32_t kGrowth = 32;
constexpr std::uint32_t kBottleneck = 4 * kGrowth;
constexpr std::array<std::uint32_t, 4> kNumLayers{6, 12, 24, 16};

NodeId conv(ModelGraph& graph, const std::string& name, NodeId from, std::uint32_t filters,
            Extent kernel) {
  return graph.conv2d(name, from,
                      {.filters = filters,
                       .kernel = kernel,
                       .padding = PaddingRule::kSameSymmetric,
                       .has_bias = false});
}

NodeId dense_layer(ModelGraph& graph, const std::string& name, NodeId from) {
  NodeId x = graph.relu(name + ".relu1", graph.batch_norm(name + ".norm1", from));
  x = conv(graph, name + ".conv1", x, kBottleneck, {1, 1});
  x = graph.relu(name + ".relu2", graph.batch_norm(name + ".norm2", x));
  x = conv(graph, name + ".conv2", x, kGrowth, {3, 3});
  return graph.concat(name + ".concat", std::array{from, x});
}

NodeId transition(ModelGraph& graph, const std::string& name, NodeId from) {
  NodeId x = graph.relu(name + ".relu", graph.batch_norm(name + ".norm", from));
  x = conv(graph, name + ".conv", x, graph.node(x).shape.channels / 2, {1, 1});
  return graph.avg_pool(name + ".pool", x);
}

NodeId stem(ModelGraph& graph) {
  NodeId x = graph.conv2d("features.conv0", graph.input(),
                          {.filters = 64,
                           .kernel = {7, 7},
                           .stride = {2, 2},
                           .padding = PaddingRule::kSameSymmetric,
                           .has_bias = false});
  x = graph.relu("features.relu0", graph.batch_norm("features.norm0", x));
  return graph.max_pool(
      "features.pool0", x,
      {.window = {3, 3}, .stride = {2, 2}, .padding = PaddingRule::kExplicit, .pad = {1, 1}});
}

}  // namespace

ModelGraph densenet121(const ZooRequest& request) {
  ModelGraph graph("densenet121", request.input);
  NodeId x = stem(graph);
  for (std::size_t block = 0; block < kNumLayers.size(); ++block) {
    const std::string number = std::to_string(block + 1);
    if (block > 0) x = transition(graph, "features.transition" + std::to_string(block), x);
    for (std::uint32_t layer = 1; layer <= kNumLayers[block]; ++layer) {
      x = dense_layer(graph, "features.denseblock" + number + ".denselayer" + std::to_string(layer),
                      x);
    }
  }
  x = graph.relu("features.relu5", graph.batch_norm("features.norm5", x));
  x = graph.global_avg_pool("avgpool", x);
  const double fan_in = graph.node(x).shape.channels;
  graph.set_output(graph.dense("classifier", x,
                               {.units = request.num_classes, .init = torch_default_init(fan_in)}));
  return graph;
}

}  // namespace penstock::train
