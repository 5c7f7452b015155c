// What the first bytes of a PNG say of it, without decoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "streamer/core/result.h"

namespace penstock {

struct PngHeader {
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  std::uint8_t components = 0;  // 1 gray, 3 colour, palettes too; alpha not counted
  bool is_interlaced = false;
};

/// Reads the IHDR chunk. Looks at no checksum and no pixel: PngDecoder does.
///
/// Errors  a fault when these bytes begin no PNG
/// Source  PNG specification, third edition, sections 5.2 and 11.2.1
Result<PngHeader> read_png_header(std::span<const std::byte> encoded) noexcept;

}  // namespace penstock
