// The tags of a TIFF's first directory: TIFF files themselves, and the EXIF block of a JPEG.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "tools/convert/image/byte_reader.h"

namespace penstock::convert {

enum class TiffTag : std::uint16_t {
  kImageWidth = 256,
  kImageLength = 257,
  kBitsPerSample = 258,
  kCompression = 259,
  kOrientation = 274,
  kSamplesPerPixel = 277,
  kTileWidth = 322,
  kTileLength = 323,
  kGpsDirectory = 34853,
};

/// Returns the value of a tag that holds one SHORT or LONG; nothing when there is none, or when
/// anything on the way to it does not fit into `tiff`. Every offset is checked.
///
/// Source  TIFF 6.0, section 2: header, image file directory, types 3 (SHORT) and 4 (LONG)
std::optional<std::uint32_t> read_tiff_tag(std::span<const std::byte> tiff, TiffTag tag) noexcept;

/// Where in a TIFF the value stands that read_tiff_tag() returns.
struct TiffValuePlace {
  std::uint64_t offset_bytes = 0;
  std::size_t num_bytes = 0;
  ByteOrder order = ByteOrder::kLittle;
};
std::optional<TiffValuePlace> find_tiff_value(std::span<const std::byte> tiff,
                                              TiffTag tag) noexcept;

/// The same as read_tiff_tag() for a tag that may hold several values: the first one.
std::optional<std::uint32_t> read_first_tiff_value(std::span<const std::byte> tiff,
                                                   TiffTag tag) noexcept;

/// Whether another directory, another picture, follows the first one.
bool has_second_tiff_directory(std::span<const std::byte> tiff) noexcept;

/// The colour profile (tag 34675); empty when there is none.
std::span<const std::byte> read_tiff_icc(std::span<const std::byte> tiff) noexcept;

}  // namespace penstock::convert
