#include "tools/convert/write/shard_plan.h"

#include <fmt/core.h>

#include <algorithm>

namespace penstock::convert {
namespace {

struct OrderedFile {
  std::uint64_t key = 0;
  PlacedFile placed;
};

std::vector<OrderedFile> ordered_split(const FolderScan& scan, const DatasetLayout& layout,
                                       SplitKind split, std::uint64_t seed) {
  const SplitRule rule{.seed = seed};
  std::vector<OrderedFile> files;
  for (const PlacedFile& placed : layout.files) {
    if (placed.split != split) continue;
    files.push_back({rule.order_key(scan.files[placed.file_idx].path), placed});
  }
  // file_idx follows the bytes of the path.
  std::sort(files.begin(), files.end(), [](const OrderedFile& a, const OrderedFile& b) {
    return a.key != b.key ? a.key < b.key : a.placed.file_idx < b.placed.file_idx;
  });
  return files;
}

}  // namespace

std::string ShardPlan::file_name() const {
  return fmt::format("{}-{:05}.h5", split_name(split), number);
}

std::vector<ShardPlan> plan_shards(const FolderScan& scan, const DatasetLayout& layout,
                                   std::uint64_t seed, std::uint64_t shard_size_bytes) {
  std::vector<ShardPlan> shards;
  for (std::uint32_t i = 0; i < kNumSplits; ++i) {
    const auto split = static_cast<SplitKind>(i);
    std::uint32_t number = 0;
    bool has_open_shard = false;
    for (const OrderedFile& file : ordered_split(scan, layout, split, seed)) {
      const std::uint64_t size_bytes = scan.files[file.placed.file_idx].size_bytes;
      if (!has_open_shard || shards.back().source_bytes + size_bytes > shard_size_bytes) {
        shards.push_back({.split = split, .number = number++, .files = {}, .source_bytes = 0});
        has_open_shard = true;
      }
      shards.back().files.push_back(file.placed);
      shards.back().source_bytes += size_bytes;
    }
  }
  return shards;
}

std::uint64_t estimate_dataset_bytes(const FolderScan& scan, const std::vector<ShardPlan>& shards) {
  // An index record, its share of a page checksum and a name's offset; HDF5's own structures,
  // the user block and alignment per shard; the manifest.
  constexpr std::uint64_t kPerSampleBytes = 64 + 1 + 8;
  constexpr std::uint64_t kPerShardBytes = 64 << 10;
  constexpr std::uint64_t kManifestBytes = 64 << 10;
  std::uint64_t total = kManifestBytes;
  for (const ShardPlan& shard : shards) {
    total += kPerShardBytes + shard.source_bytes;
    for (const PlacedFile& placed : shard.files) {
      total += kPerSampleBytes + scan.files[placed.file_idx].path.size();
    }
  }
  return total;
}

}  // namespace penstock::convert
