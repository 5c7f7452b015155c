// What a PNG is made of, read from its chunks alone; and a PNG without what is in the way of its
// pixels. Nothing is inflated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace penstock::convert {

struct PngStructure {
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  std::uint8_t bit_depth = 0;
  std::uint8_t colour_type = 0;  // 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha
  bool is_interlaced = false;
  bool has_transparent_colour = false;  // a tRNS chunk
  bool is_animated = false;             // an acTL chunk
  bool is_wide_gamut = false;           // by cICP, cHRM or the name of its iCCP
  std::span<const std::byte> exif;      // a TIFF; empty: none
  std::uint64_t data_bytes = 0;         // of all IDAT chunks, as far as they are there
  bool is_cut = false;                  // ends within a chunk that its pixels need
  bool has_end = false;
  bool has_wrong_crc = false;     // in a chunk that its pixels need
  bool has_other_chunks = false;  // compressed text, a profile, animation

  bool has_alpha() const noexcept { return (colour_type & 4) != 0 || has_transparent_colour; }
  /// Bytes that the data must unfold to, one filter byte a row; never overflows.
  std::uint64_t unfolded_bytes() const noexcept;
};

/// Walks the chunks for as long as they are well-formed. `png` starts with PNG's signature.
///
/// Cost    a CRC of every chunk that the pixels need
/// Source  PNG specification (W3C, 3rd edition), 5.3 and 11
PngStructure read_png_structure(std::span<const std::byte> png) noexcept;

/// Returns the same picture with the chunks that its pixels need and no others, their checksums
/// right, ended: whatever text or profile it carries is never inflated.
std::vector<std::byte> plain_png(std::span<const std::byte> png);

}  // namespace penstock::convert
