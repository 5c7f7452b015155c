// Candidates for dense products from cuBLASLt.
#pragma once

#include <memory>

#include "train/backend/cuda/module/product_libraries.h"

namespace penstock::train::cuda {

/// Throws DeviceFault where cuBLASLt has none within the limits. Needs a device.
std::unique_ptr<ProductCandidates> dense_candidates(ProductLibraries& libraries,
                                                    const DenseProblem& problem,
                                                    const PlanLimits& limits);

}  // namespace penstock::train::cuda
