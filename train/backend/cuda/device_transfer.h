// Copies between any memory of the host and the device, with the host waiting: parameters on their way in and out,
// tables made once. Never within a step.
#pragma once

#include <cstddef>

#include "train/backend/cuda/device_handles.h"

namespace penstock::train::cuda {

/// Goes through a piece of page-locked memory, a piece at a time.
class DeviceTransfer {
 public:
  DeviceTransfer(DeviceApi& api, Stream stream);

  /// After all work of the stream so far.
  void to_device(void* to, const void* from, std::size_t bytes);
  void to_host(void* to, const void* from, std::size_t bytes);

 private:
  DeviceApi& api_;
  Stream stream_;
  UniquePinnedBytes piece_;
};

}  // namespace penstock::train::cuda
