#include "train/run/network/run_loss.h"

#include <string>
#include <variant>
#include <vector>

#include "train/graph/graph_errors.h"
#include "train/loss/class_balance.h"

namespace penstock::train {
namespace {

std::vector<float> as_float(std::span<const double> values) {
  std::vector<float> floats;
  for (const double value : values) floats.push_back(static_cast<float>(value));
  return floats;
}

/// The node that makes the output's values: a flatten hands on what it is given.
const Node& maker_of_output(const ModelGraph& graph) {
  NodeId id = graph.output();
  while (std::holds_alternative<FlattenOp>(graph.node(id).op)) id = graph.node(id).inputs.front();
  return graph.node(id);
}

bool is_bounded(const Operation& op) {
  if (const auto* activation = std::get_if<ActivationOp>(&op)) {
    return activation->kind != ActivationKind::kLeakyRelu;
  }
  return std::holds_alternative<SoftmaxOp>(op);
}

}  // namespace

bool is_focal_run(const RunConfig& config) noexcept {
  return config.loss == LossKind::kSoftmaxFocal;
}

LossSpec loss_of(const RunConfig& config, std::span<const std::uint64_t> num_by_class) {
  LossSpec loss{.kind = config.loss, .label_smoothing = config.label_smoothing};
  loss.class_weights = config.balances_classes ? balanced_class_weights(num_by_class)
                                               : as_float(config.class_weights);
  if (is_focal_run(config)) {
    loss.focal_gamma = config.focal_gamma;
    loss.focal_alpha = as_float(config.focal_alpha);
  }
  loss.validate_for(num_by_class.size());
  return loss;
}

LossSpec loss_of(const ModelRecord& record) {
  LossSpec loss{.kind = parse_loss(record.loss),
                .focal_gamma = record.focal_gamma,
                .focal_alpha = as_float(record.focal_alpha)};
  loss.validate_for(record.class_names.size());
  return loss;
}

void check_output(const ModelGraph& graph, LossKind loss) {
  if (!is_softmax_loss(loss) && !is_binary_loss(loss)) return;
  const Node& last = maker_of_output(graph);
  if (!is_bounded(last.op)) return;
  refuse_layer(last.name, "an output of scores, which may be any numbers",
               std::string(operation_name(last.op)),
               std::string("leave it out of the last layer: the loss applies ") +
                   (is_softmax_loss(loss) ? "softmax" : "sigmoid"));
}

}  // namespace penstock::train
