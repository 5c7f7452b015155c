// What is known of a stored sample before it is read.
#pragma once

#include <cstdint>

namespace penstock {

/// How a sample is stored. The numbers are those of the shard format.
enum class Codec : std::uint8_t { kJpeg = 0, kRaw = 1, kPng = 2 };

/// What the index says of a stored sample.
struct StoredInfo {
  std::uint32_t length_bytes = 0;
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  Codec codec = Codec::kJpeg;
  std::uint8_t components = 3;
  bool is_progressive = false;
  /// Chroma subsampling: luma samples per chroma sample, horizontally and vertically.
  std::uint8_t subsampling_x = 1;
  std::uint8_t subsampling_y = 1;
};

}  // namespace penstock
