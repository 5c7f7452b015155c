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

/// Whether the layer itself picks the pixels that the weight gradient reads. oneDNN up to 3.12 at least makes its
/// own copy of them, and with fewer channels than a vector has it writes behind the scratchpad that it asks for
/// (https://github.com/uxlfoundation/oneDNN/issues/6035).
inline bool picks_pixels(const WeightedSizes& sizes) {
  constexpr std::uint32_t kVectorChannels = 16;
  const Window& window = sizes.window;
  return !sizes.is_dense && sizes.groups == 1 && window.kernel.rows == 1 &&
         window.kernel.cols == 1 && (window.stride.rows > 1 || window.stride.cols > 1) &&
         !window.has_padding() && sizes.input.channels < kVectorChannels;
}

/// The sizes that the library is asked for the weight gradient of.
inline WeightedSizes weight_gradient_sizes(WeightedSizes sizes) {
  if (!picks_pixels(sizes)) return sizes;
  sizes.input.height = sizes.output.height;
  sizes.input.width = sizes.output.width;
  sizes.window.stride = {1, 1};
  return sizes;
}

}  // namespace penstock::train::onednn
