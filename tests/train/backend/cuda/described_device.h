// Devices that are not here, as cuDNN asks for them. What the CUDA runtime would say of the current device is said
// by described_device.cpp in its place.
#pragma once

#include <string>

#include "train/backend/cuda/product_plans.h"

namespace penstock::tests {

/// Turing (T4), Ampere (A100) or Hopper (H100).
///
/// Source  CUDA C++ Programming Guide 13.0, "Technical Specifications per Compute Capability"; the counts of
///         multiprocessors and the sizes of memory from NVIDIA's data sheets
train::cuda::DeviceFacts described_device(std::uint32_t compute_capability);

/// Closes what it opened.
class DescribedLibraries {
 public:
  explicit DescribedLibraries(std::uint32_t compute_capability);
  ~DescribedLibraries() { train::cuda::close_product_libraries(libraries_); }
  DescribedLibraries(const DescribedLibraries&) = delete;
  DescribedLibraries& operator=(const DescribedLibraries&) = delete;

  train::cuda::ProductLibraries& get() noexcept { return *libraries_; }

 private:
  train::cuda::ProductLibraries* libraries_ = nullptr;
};

}  // namespace penstock::tests
