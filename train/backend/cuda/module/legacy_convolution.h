// Candidates for convolutions from cuDNN's older calls, where its graphs have none.
#pragma once

#include <memory>

#include "train/backend/cuda/module/product_libraries.h"

namespace penstock::train::cuda {

/// Throws DeviceFault where there is none within the limits, and for what these calls do not know: padding that
/// differs from side to side, results of another type. Needs a device.
std::unique_ptr<ProductCandidates> legacy_candidates(ProductLibraries& libraries,
                                                     const ConvolutionProblem& problem,
                                                     const PlanLimits& limits);

}  // namespace penstock::train::cuda
