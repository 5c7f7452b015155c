#include "train/backend/node_chain.h"

#include <algorithm>
#include <array>
#include <optional>
#include <variant>

namespace penstock::train {
namespace {

template <class Op>
const Op* op_of(const ModelGraph& graph, NodeId id) {
  return std::get_if<Op>(&graph.node(id).op);
}

bool is_activation(const ModelGraph& graph, NodeId id) {
  return op_of<ActivationOp>(graph, id) != nullptr;
}

bool is_relu(const ModelGraph& graph, NodeId id) {
  const auto* op = op_of<ActivationOp>(graph, id);
  return op != nullptr && op->kind == ActivationKind::kRelu;
}

bool is_max_pool(const ModelGraph& graph, NodeId id) {
  const auto* op = op_of<PoolOp>(graph, id);
  return op != nullptr && op->kind == PoolKind::kMax;
}

bool is_batch_norm(const ModelGraph& graph, NodeId id) {
  return op_of<BatchNormOp>(graph, id) != nullptr;
}

bool is_conv2d_without_bias(const ModelGraph& graph, NodeId id) {
  const auto* op = op_of<Conv2dOp>(graph, id);
  return op != nullptr && !op->has_bias;
}

bool is_sum_of_two(const ModelGraph& graph, NodeId id) {
  return op_of<AddOp>(graph, id) != nullptr && graph.node(id).inputs.size() == 2;
}

/// The one node that reads `id`, if it is one alone.
std::optional<NodeId> only_reader(const ModelGraph& graph, NodeId id) {
  const auto readers = graph.readers_of(id);
  return readers.size() == 1 ? std::optional(readers.front()) : std::nullopt;
}

/// Follows `first` through nodes that are read by one alone, as far as each suits its test; empty unless all
/// do.
template <std::size_t kCount>
NodeChain chain_from(const ModelGraph& graph, NodeId first,
                     const std::array<bool (*)(const ModelGraph&, NodeId), kCount>& tests) {
  NodeChain chain;
  std::optional<NodeId> id = first;
  for (const auto test : tests) {
    if (!id || !test(graph, *id)) return {};
    chain.push_back(*id);
    id = only_reader(graph, *id);
  }
  return chain;
}

}  // namespace

std::vector<NodeId> inputs_of(const ModelGraph& graph, const NodeChain& nodes) {
  std::vector<NodeId> inputs;
  for (const NodeId node : nodes) {
    for (const NodeId from : graph.node(node).inputs) {
      if (std::ranges::find(nodes, from) == nodes.end()) inputs.push_back(from);
    }
  }
  return inputs;
}

NodeChain match_batch_norm_activation(const ModelGraph& graph, NodeId id) {
  return chain_from<2>(graph, id, {is_batch_norm, is_activation});
}

NodeChain match_batch_norm_relu_pool(const ModelGraph& graph, NodeId id) {
  return chain_from<3>(graph, id, {is_batch_norm, is_relu, is_max_pool});
}

NodeChain match_batch_norm_add_relu(const ModelGraph& graph, NodeId id) {
  return chain_from<3>(graph, id, {is_batch_norm, is_sum_of_two, is_relu});
}

NodeChain match_batch_norm_relu_conv2d(const ModelGraph& graph, NodeId id) {
  return chain_from<3>(graph, id, {is_batch_norm, is_relu, is_conv2d_without_bias});
}

std::string chain_text(const ModelGraph& graph, const NodeChain& nodes) {
  std::string text;
  for (const NodeId id : nodes) {
    text += (text.empty() ? "" : " + ") + std::string(operation_name(graph.node(id).op));
  }
  return text;
}

}  // namespace penstock::train
