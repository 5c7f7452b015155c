// The module's device: the CUDA runtime behind DeviceApi.
#pragma once

#include <memory>

#include "train/backend/cuda/device_api.h"

namespace penstock::train::cuda {

/// Null with a status when the device does not answer.
std::unique_ptr<DeviceApi> open_cuda_device(int device_idx, DeviceStatus* status);

}  // namespace penstock::train::cuda
