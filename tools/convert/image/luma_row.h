// Gray of a row of colours.
#pragma once

#include <cstdint>

namespace penstock::convert {

/// Writes the luma of `width_px` pixels of RGB: ITU-R BT.601 in 16-bit fixed point, as libjpeg makes it
/// (jdcolext.c, rgb_gray_convert). The weights add up to 65536.
inline void add_luma_row(const std::uint8_t* rgb, std::uint32_t width_px,
                         std::uint8_t* gray) noexcept {
  for (std::uint32_t x = 0; x < width_px; ++x, rgb += 3) {
    *gray++ = static_cast<std::uint8_t>(
        (19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
  }
}

}  // namespace penstock::convert
