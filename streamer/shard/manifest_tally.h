// Gathers what the manifest says of a dataset, sample by sample, while its shards are made.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"
#include "streamer/shard/shard_format.h"

namespace penstock {

/// Where bins of Manifest::aspect_histogram begin (FORMAT.md, section 9): between the ratios of cameras
/// and screens, the same for upright and lying pictures. 9:16 | 2:3 | 3:4, 4:5 | square | 5:4, 4:3 | 3:2
/// | 16:9, 2:1.
inline constexpr std::array<std::uint32_t, 11> kAspectBounds = {0,   30,  45,  60,  71, 90,
                                                                111, 141, 167, 222, 333};

/// Memory  8 bytes a sample, for the medians
class ManifestTally {
 public:
  explicit ManifestTally(std::vector<std::string> class_names);

  /// Adds a split without samples; splits stand in the order of these calls.
  void add_split(const std::string& name);
  /// Counts a sample of `split_idx`, by its record: class, sides, orientation, length.
  void add_sample(std::size_t split_idx, const IndexRecord& record,
                  std::uint64_t decode_scratch_bytes);
  void add_shard(std::size_t split_idx, ManifestShard shard);

  std::uint64_t num_samples() const noexcept { return sizes_px_.size(); }
  /// The sum of their lengths.
  std::uint64_t stored_bytes() const noexcept { return stored_bytes_; }

  /// The manifest of what was added, without an id; splits without samples are left out.
  Manifest build() const;

 private:
  struct SizePx {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
  };

  std::vector<SizeBin> size_histogram() const;
  std::vector<AspectBin> aspect_histogram() const;

  Manifest manifest_;
  std::vector<SizePx> sizes_px_;  // of all samples, as a viewer shows them
  std::uint64_t stored_bytes_ = 0;
};

}  // namespace penstock
