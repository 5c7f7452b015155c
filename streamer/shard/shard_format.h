// The numbers of the shard format (FORMAT.md): what stands where, in which width.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "streamer/core/sample_decoder.h"

namespace penstock {

inline constexpr std::uint32_t kShardFormatVersion = 1;

/// The first bytes of a shard; as in PNG, a text-mode transfer or a 7-bit channel breaks them.
inline constexpr char kShardMagic[8] = {'\x89', 'P', 'S', 'H', 'D', '\r', '\n', '\x1a'};

/// Flags of an index record.
enum IndexFlags : std::uint8_t {
  kFlagProgressive = 1,  // JPEG with several scans, PNG with interlacing: decoding holds it whole
};

/// One sample as the index describes it: 64 bytes, little-endian, in this order.
struct IndexRecord {
  std::uint64_t offset_bytes = 0;  // of the encoded bytes, from the start of the shard file
  std::uint64_t xxh3 = 0;          // XXH3-64 of the encoded bytes
  std::uint32_t length_bytes = 0;
  std::uint32_t class_idx = 0xFFFFFFFFu;
  std::uint32_t width_px = 0;    // as stored, before orientation
  std::uint32_t height_px = 0;   // as stored, before orientation
  std::uint8_t codec = 0;        // Codec
  std::uint8_t orientation = 1;  // EXIF, 1 to 8
  std::uint8_t status = 0;       // 0: whole
  std::uint8_t flags = 0;        // IndexFlags
  std::uint8_t components = 3;
  std::uint8_t subsampling_x = 1;  // luma samples per chroma sample
  std::uint8_t subsampling_y = 1;
  std::uint8_t reserved[25] = {};
};
static_assert(sizeof(IndexRecord) == 64 && offsetof(IndexRecord, codec) == 32);

/// Longest side of a stored picture: JPEG's sides are 16-bit numbers. It also keeps every product
/// of sides, components and 4 bytes far below 64 bits.
inline constexpr std::uint32_t kMaxSidePx = 65535;

/// Bounds of the class list: what a reader holds of it cannot be stretched by a forged length.
inline constexpr std::size_t kMaxClassNameBytes = 4096;
inline constexpr std::uint64_t kMaxClasses = 1u << 24;

inline constexpr std::size_t kRecordsPerPage = 64;
inline constexpr std::size_t kIndexPageBytes = kRecordsPerPage * sizeof(IndexRecord);
using IndexPage = std::array<IndexRecord, kRecordsPerPage>;

inline StoredInfo stored_info(const IndexRecord& record) noexcept {
  return {.length_bytes = record.length_bytes,
          .width_px = record.width_px,
          .height_px = record.height_px,
          .codec = static_cast<Codec>(record.codec),
          .components = record.components,
          .is_progressive = (record.flags & kFlagProgressive) != 0,
          .subsampling_x = record.subsampling_x,
          .subsampling_y = record.subsampling_y};
}

}  // namespace penstock
