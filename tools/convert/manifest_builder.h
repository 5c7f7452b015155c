// Gathers what the manifest says of a conversion, file by file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "streamer/shard/manifest_tally.h"
#include "tools/convert/pixel_sums.h"
#include "tools/convert/shard_task.h"

namespace penstock::convert {

class ManifestBuilder {
 public:
  explicit ManifestBuilder(std::vector<std::string> class_names);

  /// Counts one file that is stored or quarantined.
  void add_file(const CheckedFile& file);
  /// Counts a folder that could not be read as one thing quarantined.
  void add_unreadable_folder() noexcept { ++num_quarantined_; }
  void add_shard(SplitKind split, ManifestShard shard);

  std::uint64_t num_samples() const noexcept { return tally_.num_samples(); }
  std::uint64_t num_quarantined() const noexcept { return num_quarantined_; }

  /// Splits without samples are left out.
  Manifest build(std::map<std::string, std::string> conversion);

 private:
  ManifestTally tally_;
  PixelSums train_sums_;
  std::uint64_t num_quarantined_ = 0;
  std::uint64_t num_reencoded_ = 0;
};

}  // namespace penstock::convert
