// Gathers what the manifest says of a dataset, sample by sample, while the shards are made.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"
#include "tools/convert/pixel_sums.h"
#include "tools/convert/shard_task.h"

namespace penstock::convert {

class ManifestBuilder {
 public:
  explicit ManifestBuilder(std::vector<std::string> class_names);

  /// Counts one file, if it is stored.
  void add_file(const CheckedFile& file);
  void add_shard(SplitKind split, ManifestShard shard);

  std::uint64_t num_samples() const noexcept { return sizes_px_.size(); }

  /// Splits without samples are left out.
  Manifest build(std::map<std::string, std::string> conversion, std::uint64_t num_quarantined);

 private:
  struct SizePx {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
  };

  void add_size(const IndexRecord& record);
  std::vector<SizeBin> size_histogram() const;
  void add_largest(const CheckedFile& file);

  Manifest manifest_;
  std::vector<SizePx> sizes_px_;  // of all samples, as a viewer shows them
  PixelSums train_sums_;
};

}  // namespace penstock::convert
