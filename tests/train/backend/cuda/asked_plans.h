// Asks for plans as a program does: the first candidate that can be built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "train/backend/cuda/product_plans.h"

namespace penstock::tests {

/// What asking came to. Kernels that cuDNN compiles cannot be loaded without a device, so candidates that need one
/// are passed over.
struct AskedPlan {
  std::string name{};    // empty: there is none
  std::string stored{};  // as PlanFacts
  std::size_t workspace_bytes = 0;
  bool is_deterministic = false;
  std::uint32_t num_candidates = 0;
  bool is_first_compiled = false;
  std::string reason{};  // why there is none
};

AskedPlan ask(train::cuda::ProductLibraries& libraries,
              const train::cuda::ConvolutionProblem& problem,
              const train::cuda::PlanLimits& limits = {});

}  // namespace penstock::tests
