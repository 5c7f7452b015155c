// One picture as it comes from a source: encoded, or bare pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "streamer/core/stored_info.h"

namespace penstock::convert {

/// Sides of pixels that are not encoded.
struct RawShape {
  std::uint32_t height_px = 0;
  std::uint32_t width_px = 0;
  std::uint32_t channels = 0;  // 1 or 3
};

/// One picture as its source has it.
struct SourcePicture {
  /// An encoded picture, or pixels [height_px, width_px, channels] when `raw` is set.
  std::vector<std::byte> bytes;
  std::optional<RawShape> raw;
  /// EXIF, 1 to 8, where the source says it beside the bytes; else the bytes themselves do.
  std::optional<std::uint8_t> orientation;
  /// Set by a dataset as source: a sample that is stored in this codec.
  std::optional<Codec> codec;
  /// Of bare pixels: how the checksum of the file that they, or their label, came from failed; nothing else
  /// would tell that they are wrong. Lives as long as the source.
  std::string_view failed_checksum{};
};

}  // namespace penstock::convert
