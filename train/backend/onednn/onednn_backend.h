// The CPU backend: oneDNN's convolutions and own kernels around them, float32, NHWC.
#pragma once

#include <memory>

#include "train/backend/backend.h"

namespace penstock::train {

std::unique_ptr<Backend> make_onednn_backend(const BackendSettings& settings);

}  // namespace penstock::train
