// Convolutions and dense products as plain loops on the stand-in device: what cuDNN and cuBLASLt compute.
#pragma once

#include "tests/train/backend/cuda/stand_in/stand_in_device.h"
#include "train/backend/cuda/product_library.h"

namespace penstock::tests {

class PlainProducts final : public train::cuda::ProductLibrary {
 public:
  explicit PlainProducts(StandInDevice& device) : device_(device) {}

  std::unique_ptr<train::cuda::Product> find(const train::cuda::ConvolutionProblem& problem,
                                             const train::cuda::PlanLimits& limits) override;
  std::unique_ptr<train::cuda::Product> find(const train::cuda::DenseProblem& problem,
                                             const train::cuda::PlanLimits& limits) override;

 private:
  StandInDevice& device_;
};

}  // namespace penstock::tests
