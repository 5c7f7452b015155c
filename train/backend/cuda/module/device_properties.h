// A device in the words of cuDNN 9.8 and newer: what CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION takes.
#pragma once

#include <string>

#include "train/backend/cuda/product_plans.h"

namespace penstock::train::cuda {

std::string device_properties_json(const DeviceFacts& device);

}  // namespace penstock::train::cuda
