// The backend `cuda`: programs on one device, fed from page-locked memory.
#pragma once

#include <memory>
#include <string>

#include "train/backend/backend.h"
#include "train/backend/cuda/device_api.h"
#include "train/backend/cuda/device_program.h"
#include "train/backend/cuda/kernel_table.h"

namespace penstock::train::cuda {

class PlanBook;
class ProductLibrary;

/// A device and what runs on it. All outlive the backend.
struct DeviceMachine {
  DeviceApi& api;
  const KernelTable& kernels;
  ProductLibrary& products;
  /// What `products` keeps its choices in; null when it has none.
  const PlanBook* plans = nullptr;
  /// Versions of what computes, for description(); empty for none.
  std::string libraries{};
  /// Page-locked memory for batches.
  std::shared_ptr<HostMemory> batch_memory = page_aligned_memory();
};

/// `owner` keeps what the machine consists of, if that is nobody else's: it goes after the backend.
std::unique_ptr<Backend> make_device_backend(const DeviceMachine& machine,
                                             const DeviceProgramOptions& options = {},
                                             std::shared_ptr<void> owner = {});

}  // namespace penstock::train::cuda
