// The network that a run without a model trains.
#include <string>

#include "train/graph/model_zoo.h"

namespace penstock::train {

ModelGraph small_cnn(const TensorShape& input, std::uint32_t num_classes) {
  ModelGraph graph("small_cnn", input);
  NodeId x = graph.input();
  std::uint32_t filters = 32;
  for (int stage = 1; stage <= 4; ++stage, filters *= 2) {
    const std::string number = std::to_string(stage);
    x = graph.conv2d("conv" + number, x, {.filters = filters, .has_bias = false});
    x = graph.batch_norm("bn" + number, x);
    x = graph.relu("relu" + number, x);
    x = graph.max_pool("pool" + number, x);
  }
  x = graph.global_avg_pool("global_pool", x);
  x = graph.dropout("dropout", x, 0.2);
  x = graph.dense("head", x, {.units = num_classes});
  graph.set_output(x);
  return graph;
}

}  // namespace penstock::train
