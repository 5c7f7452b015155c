// What a manifest's statistics say, in words and as JSON: for the summary of a conversion and for
// `penstock inspect`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"

namespace penstock::convert {

/// How evenly classes are filled. An empty one counts for nothing but num_empty.
struct ClassBalance {
  std::uint64_t least = 0;  // samples of the smallest class that has any
  std::uint64_t most = 0;
  std::uint64_t num_empty = 0;
  /// `most` by `least`; 0 without samples.
  double imbalance() const noexcept;
};
ClassBalance class_balance(const std::vector<std::uint64_t>& num_by_class);

/// "16 to 31 px 4, 32 to 63 px 2": by the longer side.
std::string size_histogram_text(const std::vector<SizeBin>& bins);

/// "0.60 to 0.71 3, from 3.33 1": width by height.
std::string aspect_histogram_text(const std::vector<AspectBin>& bins);

/// "1.2 MB of 4.0 MB saved (30 %)", or how much more is stored; empty where it is as much.
std::string sample_bytes_text(const SampleBytes& bytes);

/// "3 within a class, 0 across classes, 1 across splits".
std::string duplicates_text(const DuplicateCounts& counts);

/// An object: mean, std, gray_mean, gray_std, median_width_px, median_height_px, size_histogram,
/// aspect_histogram, largest, duplicates, near_duplicates, sample_bytes; null where it is not known.
std::string statistics_json(const Manifest& manifest);

}  // namespace penstock::convert
