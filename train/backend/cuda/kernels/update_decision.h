// The first half of an update: what the step comes to, before any weight moves.
#pragma once

#include "train/backend/cuda/kernels/update_kernels.h"

namespace penstock::train::cuda {

/// Finds the norm of all gradients and whether the step is finite, and writes what follows from it: the report,
/// the loss scale, each tensor's scalars and steps.
DeviceStatus decide_update(const OptimizerUpdate& args, Stream stream);

}  // namespace penstock::train::cuda
