#include "tools/convert/write/picture_chunks.h"

namespace penstock::convert {

std::vector<PictureChunk> cut_chunks(const PictureList& pictures,
                                     const std::vector<ShardPlan>& shards,
                                     const std::vector<bool>& is_done) {
  std::vector<PictureChunk> chunks;
  for (std::uint32_t s = 0; s < shards.size(); ++s) {
    if (is_done[s]) continue;
    std::uint64_t chunk_bytes = 0;
    const std::vector<std::uint32_t>& members = shards[s].pictures;
    for (std::uint32_t i = 0; i < members.size(); ++i) {
      const std::uint64_t size_bytes = pictures[members[i]].size_bytes;
      const bool is_full = i == 0 || chunk_bytes + size_bytes > kChunkBytes ||
                           i - chunks.back().begin == kChunkPictures;
      if (is_full) {
        chunks.push_back({.shard_idx = s, .begin = i, .end = i});
        chunk_bytes = 0;
      }
      chunks.back().end = i + 1;
      chunk_bytes += size_bytes;
    }
  }
  return chunks;
}

}  // namespace penstock::convert
