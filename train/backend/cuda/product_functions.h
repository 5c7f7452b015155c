// The functions of product_plans.h as a table: how the program reaches those of its module.
#pragma once

#include "train/backend/cuda/product_plans.h"

namespace penstock::train::cuda {

struct ProductFunctions {
  DeviceStatus (*open)(ProductLibraries** libraries) noexcept;
  void (*close)(ProductLibraries* libraries) noexcept;
  DeviceStatus (*find_convolution)(ProductLibraries& libraries, const ConvolutionProblem& problem,
                                   const PlanLimits& limits,
                                   ProductCandidates** candidates) noexcept;
  DeviceStatus (*find_dense)(ProductLibraries& libraries, const DenseProblem& problem,
                             const PlanLimits& limits, ProductCandidates** candidates) noexcept;
  std::uint32_t (*num_candidates)(const ProductCandidates& candidates) noexcept;
  void (*close_candidates)(ProductCandidates* candidates) noexcept;
  DeviceStatus (*make_plan)(ProductCandidates& candidates, std::uint32_t candidate_idx,
                            ProductPlan** plan) noexcept;
  DeviceStatus (*restore_plan)(ProductCandidates& candidates, const char* stored,
                               ProductPlan** plan) noexcept;
  void (*destroy_plan)(ProductPlan* plan) noexcept;
  PlanFacts (*plan_facts)(const ProductPlan& plan) noexcept;
  DeviceStatus (*run_plan)(ProductPlan& plan, const ProductOperands& operands, void* workspace,
                           Stream stream) noexcept;
};

}  // namespace penstock::train::cuda
