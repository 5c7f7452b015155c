#include "train/export/folded_norms.h"

#include <cmath>
#include <cstddef>
#include <variant>

namespace penstock::train {

std::unordered_map<NodeId, NodeId> find_foldable_norms(const ModelGraph& graph) {
  std::unordered_map<NodeId, NodeId> norm_of;
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    const Node& node = graph.node(id);
    if (!std::holds_alternative<BatchNormOp>(node.op)) continue;
    const NodeId from = node.inputs.front();
    if (has_weight_matrix(graph.node(from).op) && graph.readers_of(from).size() == 1)
      norm_of[from] = id;
  }
  return norm_of;
}

FoldedLayer fold_norm(const ModelGraph& graph, std::span<const NamedTensor> weights, NodeId layer,
                      NodeId norm) {
  const auto own = graph.parameters_of(layer);
  const auto of_norm = graph.parameters_of(norm);  // weight, bias, running_mean, running_var
  const auto value = [&](std::size_t param, std::size_t channel) {
    return static_cast<double>(weights[of_norm[param]].values[channel]);
  };
  const double epsilon = std::get<BatchNormOp>(graph.node(norm).op).epsilon;
  const std::size_t num_channels = graph.node(layer).shape.channels;

  FoldedLayer folded{
      .weight = weights[own[0]],
      .bias = {graph.node(layer).name + ".bias", {num_channels}, std::vector<float>(num_channels)}};
  const std::size_t fan_in = folded.weight.values.size() / num_channels;
  for (std::size_t c = 0; c < num_channels; ++c) {
    const double factor = value(0, c) / std::sqrt(value(3, c) + epsilon);
    for (std::size_t i = c * fan_in; i < (c + 1) * fan_in; ++i) {
      folded.weight.values[i] =
          static_cast<float>(factor * static_cast<double>(folded.weight.values[i]));
    }
    const double bias = own.size() > 1 ? static_cast<double>(weights[own[1]].values[c]) : 0.0;
    folded.bias.values[c] = static_cast<float>(value(1, c) + (bias - value(2, c)) * factor);
  }
  return folded;
}

}  // namespace penstock::train
