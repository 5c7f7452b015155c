// The backend `cuda` on the stand-in device: its own kernels on the CPU, products as plain loops.
#pragma once

#include <cstdint>
#include <memory>

#include "tests/train/backend/cuda/stand_in/plain_products.h"
#include "tests/train/backend/cuda/stand_in/stand_in_device.h"
#include "train/backend/cuda/device_backend.h"

namespace penstock::tests {

/// A device, its products, and a backend on them.
struct StandIn {
  explicit StandIn(std::uint64_t seed) : device(seed), products(device) {}

  std::unique_ptr<train::Backend> backend(const train::cuda::DeviceProgramOptions& options = {}) {
    return train::cuda::make_device_backend({device, train::cuda::kernel_table(), products},
                                            options);
  }

  StandInDevice device;
  PlainProducts products;
};

}  // namespace penstock::tests
