// The open shards of one split and how its samples are numbered through them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/shard/shard_file.h"

namespace penstock {

/// What a shard takes in memory beside its path: the manifest's lines on it, while they are read as
/// text and as JSON or afterwards with the open file, whichever is more.
/// Source  measured: README.md of this folder; held by open_shards_test
inline constexpr std::uint64_t kShardBytes = 1536;

/// A path is its text, and each part of it once more. Source  libstdc++ 12, bits/fs_path.h
inline std::uint64_t path_bytes(const std::filesystem::path& path) {
  constexpr std::uint64_t kPartBytes = 64;
  const auto num_parts = static_cast<std::uint64_t>(std::distance(path.begin(), path.end()));
  return 3 * path.native().size() + num_parts * kPartBytes;
}

struct OpenShard {
  ShardFile file;
  std::uint64_t first_sample_id = 0;
  std::uint64_t first_page_idx = 0;  // of its index pages, counted through the split
};

struct SplitShards {
  std::vector<OpenShard> shards;
  std::uint64_t num_samples = 0;
  std::uint64_t num_pages = 0;
  std::uint64_t path_bytes = 0;  // of all of them

  void add(ShardFile file) {
    const std::uint64_t num_added = file.num_samples();
    path_bytes += penstock::path_bytes(file.path());
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
