// Candidates for convolutions from cuDNN's graphs.
#pragma once

#include <memory>

#include "train/backend/cuda/module/product_libraries.h"

namespace penstock::train::cuda {

/// Throws DeviceFault where cuDNN has none within the limits.
std::unique_ptr<ProductCandidates> graph_candidates(ProductLibraries& libraries,
                                                    const ConvolutionProblem& problem,
                                                    const PlanLimits& limits);

}  // namespace penstock::train::cuda
