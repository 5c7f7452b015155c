// Convolutions and dense products as the definition has them, in double, in memory of the host.
#pragma once

#include <cstddef>

#include "train/backend/cuda/product_plans.h"

namespace penstock::tests {

double value_at(train::cuda::ValueType type, const void* values, std::size_t i);
/// Rounded to the type.
void set_value(train::cuda::ValueType type, void* values, std::size_t i, double value);

/// What the pass of a problem asks for. Operands are of its type, the result is rounded to its own once.
void convolve(const train::cuda::ConvolutionProblem& problem,
              const train::cuda::ProductOperands& operands);
void multiply(const train::cuda::DenseProblem& problem,
              const train::cuda::ProductOperands& operands);

}  // namespace penstock::tests
