// One sample as the index describes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "streamer/core/stored_info.h"

namespace penstock {

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

/// Is shown consecutive records; `first_idx` is the number of the first.
using IndexVisitor =
    std::function<void(std::uint64_t first_idx, std::span<const IndexRecord> records)>;

}  // namespace penstock
