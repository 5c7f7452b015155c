// The convolutions that training a named model takes, as problems for plans.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "train/backend/cuda/product_plans.h"

namespace penstock::tests {

/// Each problem once. The gradient by the picture is not among them. A picture's 3 channels are `first_channels`.
std::vector<train::cuda::ConvolutionProblem> zoo_convolutions(std::string_view model,
                                                              std::uint32_t side_px,
                                                              std::uint32_t first_channels);

}  // namespace penstock::tests
