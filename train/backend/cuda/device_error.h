// Statuses of a device as errors, with what to do about the common ones.
#pragma once

#include <string_view>

#include "train/backend/cuda/device_status.h"

namespace penstock::train::cuda {

/// Throws unless the call was done.
///
/// `where`  operation and shapes, for the message: "conv1: forward, 32 x 224 x 224 x 3"
/// Errors   OutOfMemory when the device had none left; Unsupported for a driver or device that is too old; Io for
///          everything else, also for work that failed before: then nothing on the device can be used any more
void check_device(const DeviceStatus& status, std::string_view where = {});

}  // namespace penstock::train::cuda
