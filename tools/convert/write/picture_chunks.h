// Cuts the pictures of the shards into runs that one thread reads and checks in one go, so that very
// small pictures are not handed over one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tools/convert/write/shard_plan.h"

namespace penstock::convert {

/// Source bytes of a chunk; a larger picture is a chunk by itself.
inline constexpr std::uint64_t kChunkBytes = 256u << 10;
/// Pictures of a chunk: enough that handing it over costs nothing beside opening them.
inline constexpr std::size_t kChunkPictures = 64;

/// Consecutive pictures of one shard.
struct PictureChunk {
  std::uint32_t shard_idx = 0;  // in the list of plans
  std::uint32_t begin = 0;      // in ShardPlan::pictures
  std::uint32_t end = 0;
};

/// Cuts those of `shards` that are not done, in order. `is_done` has an entry for
/// each.
std::vector<PictureChunk> cut_chunks(const PictureList& pictures,
                                     const std::vector<ShardPlan>& shards,
                                     const std::vector<bool>& is_done);

}  // namespace penstock::convert
