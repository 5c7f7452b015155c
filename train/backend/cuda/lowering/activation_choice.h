// A node's activation as kernels know it.
#pragma once

#include <variant>

#include "train/backend/cuda/kernels/activation_kernels.h"
#include "train/graph/model_graph.h"

namespace penstock::train::cuda {

inline Activation activation_of(const ModelGraph& graph, NodeId id) {
  static_assert(static_cast<int>(KernelActivation::kGelu) ==
                static_cast<int>(ActivationKind::kGelu));
  const auto& op = std::get<ActivationOp>(graph.node(id).op);
  return {.kind = static_cast<KernelActivation>(op.kind), .slope = static_cast<float>(op.slope)};
}

}  // namespace penstock::train::cuda
