// Batch norms that evaluate with running statistics are a factor and a shift for each channel: those behind a
// convolution or a dense layer can go into its weights.
#pragma once

#include <span>
#include <unordered_map>

#include "train/graph/model_graph.h"
#include "train/store/safetensors.h"

namespace penstock::train {

/// By convolution or dense layer: the batch norm that alone reads it.
std::unordered_map<NodeId, NodeId> find_foldable_norms(const ModelGraph& graph);

/// Weight and bias of a layer with its norm in it.
struct FoldedLayer {
  NamedTensor weight;
  NamedTensor bias;
};

/// `weights` are those of graph.parameters(), in their order. Computes in double.
/// Source  Ioffe and Szegedy, Batch normalization (2015), algorithm 2, step 11
FoldedLayer fold_norm(const ModelGraph& graph, std::span<const NamedTensor> weights, NodeId layer,
                      NodeId norm);

}  // namespace penstock::train
