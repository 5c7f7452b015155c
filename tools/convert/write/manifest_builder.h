// Gathers what the manifest says of a conversion, shard by shard.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "streamer/shard/manifest_tally.h"
#include "tools/convert/source/picture_list.h"
#include "tools/convert/write/shard_contribution.h"

namespace penstock::convert {

class ManifestBuilder {
 public:
  explicit ManifestBuilder(std::vector<std::string> class_names);

  /// Counts one stored sample, class included.
  void add_sample(SplitKind split, const IndexRecord& record);
  void add_shard(SplitKind split, ManifestShard shard);

  std::uint64_t num_samples() const noexcept { return tally_.num_samples(); }

  /// Splits without samples are left out; statistics too when no pixel was summed. `all` is what the
  /// shards contributed together; `num_unlisted` more were quarantined when the source was listed.
  Manifest build(std::map<std::string, std::string> conversion, const ShardContribution& all,
                 std::uint64_t num_unlisted);

 private:
  ManifestTally tally_;
};

}  // namespace penstock::convert
