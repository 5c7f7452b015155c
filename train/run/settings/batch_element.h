// How pixels are copied to a GPU: as bytes, which are normalised there, or as values.
#pragma once

#include "streamer/core/batch.h"
#include "train/run/settings/run_config.h"

namespace penstock::train {

/// What RunConfig::batch_element comes to. "auto" is bytes, a quarter of float32's; float16 where random erasing
/// writes normalised values, which bytes cannot hold.
///
/// Errors  InvalidArgument for bytes with random erasing
ElementType gpu_batch_element(const RunConfig& config);

}  // namespace penstock::train
