// LeNet-5 (LeCun et al. 1998, II.B) with what came later in place of what it had: ReLU for tanh, max-pool for
// trained averages, all maps of S2 into every map of C3 instead of table I, a linear output for the radial
// one. The first convolution pads by 2, as the paper's frame around 28 x 28 digits does.
#include "train/graph/zoo/zoo_models.h"

namespace penstock::train {

ModelGraph lenet(const ZooRequest& request) {
  ModelGraph graph("lenet", request.input);
  const WeightInit he{.rule = InitRule::kHeNormal};
  NodeId x = graph.conv2d("c1", graph.input(), {.filters = 6, .kernel = {5, 5}});
  x = graph.max_pool("s2", graph.relu("c1_relu", x));
  x = graph.conv2d("c3", x, {.filters = 16, .kernel = {5, 5}, .padding = PaddingRule::kValid});
  x = graph.max_pool("s4", graph.relu("c3_relu", x));
  x = graph.flatten("flatten", x);
  x = graph.relu("c5_relu", graph.dense("c5", x, {.units = 120, .init = he}));
  x = graph.relu("f6_relu", graph.dense("f6", x, {.units = 84, .init = he}));
  graph.set_output(graph.dense("output", x, {.units = request.num_classes}));
  return graph;
}

}  // namespace penstock::train
