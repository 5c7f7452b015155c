#include "tools/convert/image/upright.h"

#include <algorithm>

namespace penstock::convert {

DecodedPixels turned_upright(const DecodedPixels& pixels, std::uint8_t orientation) {
  const UprightSteps steps = upright_steps(orientation);
  if (steps.is_nothing()) return pixels;
  DecodedPixels turned = pixels;
  if (steps.is_transposed) std::swap(turned.width_px, turned.height_px);
  std::uint8_t* out = turned.pixels_hwc.data();
  for (std::uint32_t row = 0; row < turned.height_px; ++row) {
    const std::uint32_t y = steps.is_mirrored_y ? turned.height_px - 1 - row : row;
    for (std::uint32_t column = 0; column < turned.width_px; ++column) {
      const std::uint32_t x = steps.is_mirrored_x ? turned.width_px - 1 - column : column;
      const std::size_t from = steps.is_transposed ? std::size_t{x} * pixels.width_px + y
                                                   : std::size_t{y} * pixels.width_px + x;
      out = std::copy_n(&pixels.pixels_hwc[from * pixels.channels], pixels.channels, out);
    }
  }
  return turned;
}

}  // namespace penstock::convert
