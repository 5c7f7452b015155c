// The open shards of one split and how its samples are numbered through them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/shard/shard_file.h"

namespace penstock {

struct OpenShard {
  ShardFile file;
  std::uint64_t first_sample_id = 0;
  std::uint64_t first_page_idx = 0;  // of its index pages, counted through the split
};

struct SplitShards {
  std::vector<OpenShard> shards;
  std::uint64_t num_samples = 0;
  std::uint64_t num_pages = 0;

  void add(ShardFile file) {
    const std::uint64_t num_added = file.num_samples();
    shards.push_back({std::move(file), num_samples, num_pages});
    num_samples += num_added;
    num_pages += (num_added + kRecordsPerPage - 1) / kRecordsPerPage;
  }

  const OpenShard& shard_of(std::uint64_t sample_id) const {
    check_internal(sample_id < num_samples, "a sample id beyond the split");
    const auto after = std::ranges::upper_bound(shards, sample_id, {}, &OpenShard::first_sample_id);
    return *(after - 1);
  }
};

}  // namespace penstock
