// Gathers what the manifest says of a conversion, file by file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "streamer/shard/manifest_tally.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/image/pixel_sums.h"
#include "tools/convert/source/picture_list.h"

namespace penstock::convert {

class ManifestBuilder {
 public:
  explicit ManifestBuilder(std::vector<std::string> class_names);

  /// Counts one picture, if it is stored.
  void add(const ListedPicture& picture, const ImageVerdict& verdict);
  void add_shard(SplitKind split, ManifestShard shard);

  std::uint64_t num_samples() const noexcept { return tally_.num_samples(); }

  /// Splits without samples are left out.
  Manifest build(std::map<std::string, std::string> conversion, std::uint64_t num_quarantined);

 private:
  ManifestTally tally_;
  PixelSums train_sums_;
  std::uint64_t num_reencoded_ = 0;
};

}  // namespace penstock::convert
