// How the samples of a TIFF stand in its rows, and what they mean: packed bits to 8-bit gray or RGB.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include "tools/convert/image/picture_rows.h"
#include "tools/convert/image/tiff_file.h"

namespace penstock::convert {

enum class TiffInk : std::uint8_t { kGray, kInvertedGray, kPalette, kRgb, kCmyk };

struct TiffSamples {
  TiffInk ink = TiffInk::kGray;
  unsigned num_bits = 8;                          // of a sample, 1 to 16
  unsigned num_stored = 1;                        // of a pixel
  unsigned num_used = 1;                          // of these the first: colours, then alpha
  bool has_planes = false;                        // each sample in strips of its own
  RowKind row_kind = RowKind::kGray;              // what colour() makes
  std::array<const std::uint16_t*, 3> palette{};  // red, green, blue: 2^num_bits each; libtiff's
  bool is_palette_8_bit = false;                  // no value of it above 255

  /// Samples of a row as libtiff hands them out. They stand together, or are those of one plane.
  std::size_t packed_bytes(std::size_t num_px) const noexcept;

  /// Takes a packed row to 8 bit, of a palette to its index: `num_used` samples a pixel, or, where
  /// there are planes, the `plane`th of so many.
  void unpack(std::span<const std::uint8_t> packed, unsigned plane,
              std::span<std::uint8_t> out) const noexcept;

  /// Takes unpacked samples to what `row_kind` says.
  void colour(std::span<const std::uint8_t> in, std::span<std::uint8_t> out) const noexcept;
};

/// What only libtiff reads: as RGB of 8 bit.
struct TiffRgbOnly {};

/// Reads it from the tags; in words, why the picture cannot be read.
std::variant<TiffSamples, TiffRgbOnly, std::string> read_tiff_samples(const TiffFile& file);

}  // namespace penstock::convert
