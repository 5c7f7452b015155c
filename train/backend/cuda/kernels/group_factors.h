// The first half of a group norm: what its values are normalized with.
#pragma once

#include "train/backend/cuda/kernels/sample_norm_kernels.h"

namespace penstock::train::cuda {

/// Writes args.factors: mean and 1 / deviation of each group of each sample.
DeviceStatus group_factors(const GroupNormForward& args, Stream stream);

}  // namespace penstock::train::cuda
