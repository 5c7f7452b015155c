#include "tests/train/backend/cuda/zoo_convolutions.h"

#include <algorithm>
#include <variant>

#include "train/graph/model_zoo.h"

namespace penstock::tests {

using train::Conv2dOp;
using train::ModelGraph;
using train::Node;
using train::cuda::ConvolutionProblem;
using train::cuda::ProductPass;

std::vector<ConvolutionProblem> zoo_convolutions(std::string_view model, std::uint32_t side_px,
                                                 std::uint32_t first_channels) {
  const ModelGraph graph = train::build_model(model, {3, side_px, side_px}, 1000);
  std::vector<ConvolutionProblem> problems;
  for (const Node& node : graph.nodes()) {
    const auto* const conv = std::get_if<Conv2dOp>(&node.op);
    if (conv == nullptr) continue;
    const Node& from = graph.node(node.inputs.front());
    const bool is_first = node.inputs.front() == graph.input();
    ConvolutionProblem problem{.batch = 32,
                               .in_channels = is_first ? first_channels : from.shape.channels,
                               .height = from.shape.height,
                               .width = from.shape.width,
                               .filters = conv->filters,
                               .groups = conv->groups,
                               .window = conv->window};
    for (const ProductPass pass :
         {ProductPass::kForward, ProductPass::kDataGradient, ProductPass::kWeightGradient}) {
      if (is_first && pass == ProductPass::kDataGradient) continue;
      problem.pass = pass;
      problem.has_bias = conv->has_bias && pass == ProductPass::kForward;
      if (std::ranges::find(problems, problem) == problems.end()) problems.push_back(problem);
    }
  }
  return problems;
}

}  // namespace penstock::tests
