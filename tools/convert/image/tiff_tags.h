// The tags of a TIFF's first directory: TIFF files themselves, and the EXIF block of a JPEG.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace penstock::convert {

enum class TiffTag : std::uint16_t {
  kImageWidth = 256,
  kImageLength = 257,
  kOrientation = 274,
  kGpsDirectory = 34853
};

/// Returns the value of a tag that holds one SHORT or LONG; nothing when there is none, or when
/// anything on the way to it does not fit into `tiff`. Every offset is checked.
///
/// Source  TIFF 6.0, section 2: header, image file directory, types 3 (SHORT) and 4 (LONG)
std::optional<std::uint32_t> read_tiff_tag(std::span<const std::byte> tiff, TiffTag tag) noexcept;

}  // namespace penstock::convert
