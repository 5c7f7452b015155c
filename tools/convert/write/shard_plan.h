// Which file goes into which shard, and in which order: from paths and sizes alone, so that it does
// not depend on jobs or on damage.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/convert/source/picture_list.h"

namespace penstock::convert {

/// One shard to be written: its pictures in their order.
struct ShardPlan {
  SplitKind split = SplitKind::kTrain;
  std::uint32_t number = 0;             // within its split
  std::vector<std::uint32_t> pictures;  // places in the list
  std::uint64_t source_bytes = 0;

  /// "train-00000.h5"
  std::string file_name() const;
};

/// Orders each split by SplitRule::order_key (equal keys: by path) and cuts it where a shard would
/// pass `shard_size_bytes`; a larger file has a shard to itself. Every picture has a split.
std::vector<ShardPlan> plan_shards(const PictureList& pictures, std::uint64_t seed,
                                   std::uint64_t shard_size_bytes);

/// Bytes that the dataset needs on the disk, as far as sizes of files tell.
std::uint64_t estimate_dataset_bytes(const PictureList& pictures,
                                     const std::vector<ShardPlan>& shards);

}  // namespace penstock::convert
