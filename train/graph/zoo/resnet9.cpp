// The network of David Page's entry for CIFAR-10 in DAWNBench (2018): 94 % in some minutes. Its last pool is
// global here, which at 32 x 32 pixels is its window of 4 x 4, so that images of any size fit.
// Source  github.com/davidcpage/cifar10-fast, dawn.py (net) and core.py (Mul)
#include <cmath>
#include <string>

#include "train/graph/zoo/torch_init.h"
#include "train/graph/zoo/zoo_models.h"

namespace penstock::train {
namespace {

NodeId conv_bn_relu(ModelGraph& graph, const std::string& name, NodeId from,
                    std::uint32_t filters) {
  const double fan_in = 9.0 * graph.node(from).shape.channels;
  NodeId x =
      graph.conv2d(name + ".conv", from,
                   {.filters = filters, .has_bias = false, .init = torch_default_init(fan_in)});
  x = graph.batch_norm(name + ".bn", x);
  return graph.relu(name + ".relu", x);
}

NodeId pooled(ModelGraph& graph, const std::string& name, NodeId from, std::uint32_t filters) {
  return graph.max_pool(name + ".pool", conv_bn_relu(graph, name, from, filters));
}

NodeId residual(ModelGraph& graph, const std::string& name, NodeId from) {
  const std::uint32_t filters = graph.node(from).shape.channels;
  NodeId x = conv_bn_relu(graph, name + ".res1", from, filters);
  x = conv_bn_relu(graph, name + ".res2", x, filters);
  return graph.add(name + ".add", from, x);
}

}  // namespace

ModelGraph resnet9(const ZooRequest& request) {
  ModelGraph graph("resnet9", request.input);
  NodeId x = conv_bn_relu(graph, "prep", graph.input(), 64);
  x = residual(graph, "layer1", pooled(graph, "layer1", x, 128));
  x = pooled(graph, "layer2", x, 256);
  x = residual(graph, "layer3", pooled(graph, "layer3", x, 512));
  x = graph.global_max_pool("pool", x);
  // The entry multiplies its logits by 0.125; here the weights begin that much smaller.
  constexpr double kLogitScale = 0.125;
  const double limit = kLogitScale / std::sqrt(512.0);
  graph.set_output(graph.dense(
      "linear", x, {.units = request.num_classes, .has_bias = false, .init = even_init(limit)}));
  return graph;
}

}  // namespace penstock::train
