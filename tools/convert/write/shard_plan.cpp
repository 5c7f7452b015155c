#include "tools/convert/write/shard_plan.h"

#include <fmt/core.h>

#include <algorithm>

namespace penstock::convert {
namespace {

struct OrderedPicture {
  std::uint64_t key = 0;
  std::uint32_t picture_idx = 0;
};

std::vector<OrderedPicture> ordered_split(const PictureList& pictures, SplitKind split,
                                          std::uint64_t seed) {
  const SplitRule rule{.seed = seed};
  std::vector<OrderedPicture> ordered;
  for (std::uint32_t i = 0; i < pictures.size(); ++i) {
    const ListedPicture picture = pictures[i];
    if (picture.split == split) ordered.push_back({rule.order_key(picture.name), i});
  }
  std::sort(ordered.begin(), ordered.end(), [&](const OrderedPicture& a, const OrderedPicture& b) {
    if (a.key != b.key) return a.key < b.key;
    const int order = pictures.name(a.picture_idx).compare(pictures.name(b.picture_idx));
    return order != 0 ? order < 0 : a.picture_idx < b.picture_idx;  // samples may share a name
  });
  return ordered;
}

}  // namespace

std::string ShardPlan::file_name() const {
  return fmt::format("{}-{:05}.h5", split_name(split), number);
}

std::vector<ShardPlan> plan_shards(const PictureList& pictures, std::uint64_t seed,
                                   std::uint64_t shard_size_bytes) {
  std::vector<ShardPlan> shards;
  for (std::uint32_t i = 0; i < kNumSplits; ++i) {
    const auto split = static_cast<SplitKind>(i);
    std::uint32_t number = 0;
    bool has_open_shard = false;
    for (const OrderedPicture& ordered : ordered_split(pictures, split, seed)) {
      const std::uint64_t size_bytes = pictures[ordered.picture_idx].size_bytes;
      if (!has_open_shard || shards.back().source_bytes + size_bytes > shard_size_bytes) {
        shards.push_back({.split = split, .number = number++, .pictures = {}, .source_bytes = 0});
        has_open_shard = true;
      }
      shards.back().pictures.push_back(ordered.picture_idx);
      shards.back().source_bytes += size_bytes;
    }
  }
  return shards;
}

std::uint64_t estimate_dataset_bytes(const PictureList& pictures,
                                     const std::vector<ShardPlan>& shards) {
  // An index record, its share of a page checksum and a name's offset; HDF5's own structures,
  // the user block and alignment per shard; the manifest.
  constexpr std::uint64_t kPerSampleBytes = 64 + 1 + 8;
  constexpr std::uint64_t kPerShardBytes = 64 << 10;
  constexpr std::uint64_t kManifestBytes = 64 << 10;
  std::uint64_t total = kManifestBytes;
  for (const ShardPlan& shard : shards) {
    total += kPerShardBytes + shard.source_bytes;
    for (const std::uint32_t picture_idx : shard.pictures) {
      total += kPerSampleBytes + pictures.name(picture_idx).size();
    }
  }
  return total;
}

}  // namespace penstock::convert
