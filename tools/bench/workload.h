// What is asked of the loader: which batches and which augmentation. The three that loaders are
// compared by.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "augment/augment_config.h"
#include "streamer/core/batch.h"
#include "streamer/shard/dataset.h"

namespace penstock::tools::bench {

/// A row of the comparison. Batches are float32, three channels, normalised.
struct Workload {
  std::string name;
  BatchSpec spec;
  augment::AugmentConfig augment;
};

/// What a user may change of a workload; 0 leaves it.
struct WorkloadWish {
  std::uint32_t batch_size = 0;
  std::uint32_t image_side_px = 0;
  PixelLayout layout = PixelLayout::kNchw;
};

/// "nchw" or "nhwc". Throws InvalidArgument for any other.
PixelLayout parse_layout(std::string_view name);

/// `resized-crop` (random resized crop to 224, flip), `shift-zoom` (whole pictures; flip, shift,
/// zoom to 224), `pad-crop` (32 x 32 padded by 4, crop, flip; batches of 128).
std::span<const std::string_view> workload_names();

/// Returns one of them. Throws InvalidArgument naming the known ones.
Workload workload_named(std::string_view name, const WorkloadWish& wish);

/// Which of them suits a split: `pad-crop` when its pictures are at most 64 pixels large, else
/// `resized-crop`.
std::string_view workload_for(const DatasetSplit& split);

}  // namespace penstock::tools::bench
