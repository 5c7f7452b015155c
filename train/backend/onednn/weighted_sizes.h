// The sizes of a convolution or dense layer as the library is asked for it.
#pragma once

#include <variant>

#include "train/backend/lowering_check.h"
#include "train/backend/onednn/onednn_shim.h"
#include "train/backend/program.h"
#include "train/graph/model_graph.h"

namespace penstock::train::onednn {

/// Precondition  has_weight_matrix(graph.node(id).op)
inline WeightedSizes weighted_sizes(const ModelGraph& graph, NodeId id, const Lowering& lowering) {
  const Node& node = graph.node(id);
  WeightedSizes sizes{.batch = lowering.batch,
                      .input = graph.node(node.inputs.front()).shape,
                      .output = node.shape,
                      .has_bias = graph.parameters_of(id).size() > 1,
                      .is_dense = std::holds_alternative<DenseOp>(node.op),
                      .compute = lowering.compute,
                      .has_float_output = id == graph.output() && has_float_logits(graph)};
  if (const auto* conv = std::get_if<Conv2dOp>(&node.op)) {
    sizes.window = conv->window;
    sizes.groups = conv->groups;
  }
  return sizes;
}

/// One filter for each channel.
inline bool is_depthwise(const WeightedSizes& sizes) {
  return sizes.groups > 1 && sizes.groups == sizes.input.channels &&
         sizes.groups == sizes.output.channels;
}

}  // namespace penstock::train::onednn
