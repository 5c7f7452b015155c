// Rows as a decoder gives them, laid into the pixels that are kept.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "tools/convert/image/image_format.h"
#include "tools/convert/image/decoded_pixels.h"
#include "tools/convert/image/rgb_colour.h"

namespace penstock::convert {

/// 16 bit rounded to 8: 65535 / 255 is 257 exactly.
constexpr std::uint8_t to_8_bit(std::uint16_t value) noexcept {
  return static_cast<std::uint8_t>((value + 128u) / 257u);
}
/// A value of 0 to `max` (at least 1) rounded to 8 bit.
constexpr std::uint8_t to_8_bit_of(std::uint64_t value, std::uint64_t max) noexcept {
  return static_cast<std::uint8_t>((value * 255 + max / 2) / max);
}

/// Samples of a pixel as they stand in a row.
enum class RowKind : std::uint8_t {
  kGray,
  kGrayAlpha,
  kRgb,
  kRgba,
  kGrayPremultiplied,  // with alpha, which is multiplied in already
  kRgbPremultiplied,
};

constexpr unsigned num_samples(RowKind kind) noexcept {
  switch (kind) {
    case RowKind::kGray:
      return 1;
    case RowKind::kGrayAlpha:
    case RowKind::kGrayPremultiplied:
      return 2;
    case RowKind::kRgb:
      return 3;
    case RowKind::kRgba:
    case RowKind::kRgbPremultiplied:
      return 4;
  }
  return 0;
}

/// Makes gray of kGray and RGB of everything else; alpha is laid onto the background.
class PictureRows {
 public:
  /// Allocates the pixels: the caller has checked `size`.
  PictureRows(const DeclaredSize& size, RowKind kind, const RgbColour& background);

  /// Takes pixels of 8 bit that begin at (x, y); whole pixels, within the picture.
  void put(std::uint32_t y, std::uint32_t x, std::span<const std::uint8_t> samples) noexcept;

  /// Whether the samples had more than 8 bit, before.
  void set_had_16_bits(bool had) noexcept { pixels_.had_16_bits = had; }
  DecodedPixels take() noexcept { return std::move(pixels_); }

 private:
  RowKind kind_;
  RgbColour background_;
  DecodedPixels pixels_;
};

/// Why a picture whose decoder found other sides than were checked is refused; nothing when the
/// sides are the same.
std::optional<std::string> other_sides(const DeclaredSize& declared, const DeclaredSize& found);

}  // namespace penstock::convert
