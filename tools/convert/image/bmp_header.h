// What stands before the pixels of a BMP.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include "tools/convert/image/image_format.h"
#include "tools/convert/image/rgb_colour.h"

namespace penstock::convert {

enum class BmpCoding : std::uint8_t { kRows, kRunLength8, kRunLength4 };

/// A mask of a pixel's bits, as a value.
struct BmpField {
  std::uint32_t mask = 0;
  /// 0 without a mask.
  std::uint8_t value_of(std::uint32_t pixel) const noexcept;
};

struct BmpHeader {
  DeclaredSize size;
  bool is_top_down = false;
  unsigned num_bits = 24;
  BmpCoding coding = BmpCoding::kRows;
  std::array<BmpField, 4> fields{};  // red, green, blue, alpha; of 16 and 32 bits
  std::array<std::array<std::uint8_t, 3>, 256> palette{};  // RGB; black where there is none
  std::size_t data_at = 0;

  bool has_palette() const noexcept { return num_bits <= 8; }
  bool is_gray() const noexcept;
  bool has_alpha() const noexcept { return fields[3].mask != 0; }
};

/// Reads it; in words, why it cannot be.
std::variant<BmpHeader, std::string> read_bmp_header(std::span<const std::byte> bmp);

}  // namespace penstock::convert
