// Chains of nodes that a backend may fuse into one layer: what they look like, whatever becomes of them.
#pragma once

#include <string>

#include "train/backend/lowered_layer.h"

namespace penstock::train {

/// batch_norm and an activation, from `id` on; empty unless each is read by the next alone.
NodeChain match_batch_norm_activation(const ModelGraph& graph, NodeId id);
/// batch_norm, relu, max_pool.
NodeChain match_batch_norm_relu_pool(const ModelGraph& graph, NodeId id);
/// batch_norm, the sum of it and one other, relu.
NodeChain match_batch_norm_add_relu(const ModelGraph& graph, NodeId id);

/// batch_norm, relu, and a convolution without bias, each read by the next alone.
NodeChain match_batch_norm_relu_conv2d(const ModelGraph& graph, NodeId id);

/// "batch_norm + relu"
std::string chain_text(const ModelGraph& graph, const NodeChain& nodes);

}  // namespace penstock::train
