#include "train/backend/gradient_flow.h"

#include <algorithm>

namespace penstock::train {

GradientFlow gradient_flow(const ModelGraph& graph, const Lowering& lowering) {
  const bool is_training = lowering.mode == Mode::kTrain;
  GradientFlow flow;
  for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
    flow.learns.push_back(is_training && graph.parameters()[i].is_trainable &&
                          !lowering.is_frozen(i));
  }
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    const auto learns = [&](std::uint32_t param_idx) { return flow.learns[param_idx]; };
    const auto needed = [&](NodeId from) { return bool{flow.needs_gradient[from]}; };
    flow.needs_gradient.push_back(std::ranges::any_of(graph.parameters_of(id), learns) ||
                                  std::ranges::any_of(graph.node(id).inputs, needed));
  }
  return flow;
}

}  // namespace penstock::train
