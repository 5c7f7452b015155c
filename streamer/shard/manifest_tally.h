// Gathers what the manifest says of a dataset, sample by sample, while its shards are made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"
#include "streamer/shard/shard_format.h"

namespace penstock {

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

  /// The manifest of what was added, without an id; splits without samples are left out.
  Manifest build() const;

 private:
  struct SizePx {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
  };

  std::vector<SizeBin> size_histogram() const;

  Manifest manifest_;
  std::vector<SizePx> sizes_px_;  // of all samples, as a viewer shows them
};

}  // namespace penstock
