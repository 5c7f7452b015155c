// Which gradients a training step needs: with frozen weights, nothing before the first that learns.
#pragma once

#include <vector>

#include "train/backend/program.h"
#include "train/graph/model_graph.h"

namespace penstock::train {

struct GradientFlow {
  /// By node: whether the gradient by its values is needed.
  std::vector<bool> needs_gradient;
  /// By parameter: whether it learns in this program.
  std::vector<bool> learns;
};

/// Nothing is needed in evaluation.
GradientFlow gradient_flow(const ModelGraph& graph, const Lowering& lowering);

}  // namespace penstock::train
