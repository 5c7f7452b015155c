// How large a place for decoded crops must be, where a GPU makes the pixels of them.
#pragma once

#include <cstdint>
#include <span>

#include "augment/augment_config.h"
#include "streamer/core/batch.h"
#include "streamer/shard/dataset.h"

namespace penstock::train {

/// Returns BatchSpec::crop_bytes for batches of `spec` from these splits: the largest that
/// augment::CropTransform::crop_bytes() says of a picture of theirs.
///
/// Errors  Unsupported naming the setting that no kernel follows, with the line that leaves it to the CPU
/// Cost    reads the splits' indices
std::uint32_t crop_bytes_for(std::span<const DatasetSplit* const> splits,
                             const augment::AugmentConfig& config, BatchSpec spec);

}  // namespace penstock::train
