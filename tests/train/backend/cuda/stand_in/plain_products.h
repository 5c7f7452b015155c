// Convolutions and dense products as plain loops on the stand-in device: what cuDNN and cuBLASLt compute.
#pragma once

#include <cstdint>
#include <optional>

#include "tests/train/backend/cuda/stand_in/stand_in_device.h"
#include "train/backend/cuda/product_library.h"

namespace penstock::tests {

enum class Extras : std::uint8_t { kNone, kStatistics, kAll };

class PlainProducts final : public train::cuda::ProductLibrary {
 public:
  explicit PlainProducts(StandInDevice& device) : device_(device) {}

  std::unique_ptr<train::cuda::Product> find(const train::cuda::ConvolutionProblem& problem,
                                             const train::cuda::PlanLimits& limits) override;
  std::unique_ptr<train::cuda::Product> find(const train::cuda::DenseProblem& problem,
                                             const train::cuda::PlanLimits& limits) override;
  train::cuda::FoundExtra find_extra(const train::cuda::ConvolutionProblem& problem,
                                     const train::cuda::PlanLimits& limits,
                                     const train::cuda::ReplacedWork& replaced) override;

  /// Which fused problems there are.
  Extras extras = Extras::kAll;
  /// A planted fault: of extras one number is off by a hundredth, of the sums or of the weights' gradient.
  std::optional<train::cuda::ProductPass> spoilt_pass{};
  /// Given so far.
  unsigned num_extras = 0;

 private:
  StandInDevice& device_;
};

}  // namespace penstock::tests
