// Penstock's header: the first 4096 bytes of a shard, which HDF5 leaves alone as its user block.
// Bytes in, a checked struct out. Knows no file and no HDF5.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/core/checksum.h"

namespace penstock {

inline constexpr std::size_t kShardHeaderBytes = 4096;
inline constexpr std::size_t kMaxSplitNameBytes = 63;
inline constexpr std::uint64_t kSectionAlignmentBytes = 4096;

using ShardHeaderBytes = std::array<std::byte, kShardHeaderBytes>;

/// A range of the shard file, and what must be known to read it.
struct ShardSection {
  std::string name;  // 1 to 24 bytes
  std::uint64_t offset_bytes = 0;
  std::uint64_t length_bytes = 0;
  std::uint64_t xxh3 = 0;    // XXH3-64 of its bytes
  bool is_required = false;  // a reader that does not know it must refuse the file
};

struct ShardHeader {
  std::uint64_t file_size_bytes = 0;
  std::uint64_t num_samples = 0;
  Digest128 uuid{};
  std::uint32_t num_classes = 0;
  std::string split;
  std::vector<ShardSection> sections;

  const ShardSection* find(std::string_view name) const noexcept;
};

/// Writes the header, checksum included. The caller vouches for the contents.
ShardHeaderBytes serialise_shard_header(const ShardHeader& header);

/// Parses and checks a header; `where` names the file in messages.
///
/// On return every section lies within file_size_bytes, none overlap, all that the format demands
/// are there, and their lengths agree with the counts.
/// Errors  CorruptData; Unsupported (newer version, unknown required section)
ShardHeader parse_shard_header(std::span<const std::byte, kShardHeaderBytes> bytes,
                               const std::string& where);

}  // namespace penstock
