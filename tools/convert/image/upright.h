// Turning a picture as its EXIF orientation says, so that it stands upright: as steps, for whoever
// turns pixels or blocks of coefficients.
#pragma once

#include <cstdint>

#include "tools/convert/image/decoded_pixels.h"

namespace penstock::convert {

/// First rows become columns, then left and right, then top and bottom change places.
struct UprightSteps {
  bool is_transposed = false;
  bool is_mirrored_x = false;
  bool is_mirrored_y = false;

  bool is_nothing() const noexcept { return !is_transposed && !is_mirrored_x && !is_mirrored_y; }
};

/// Source  JEITA CP-3451 (Exif 2.3), 4.6.4, tag Orientation
constexpr UprightSteps upright_steps(std::uint8_t orientation) noexcept {
  return {
      .is_transposed = orientation >= 5,
      .is_mirrored_x = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7,
      .is_mirrored_y =
          orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8};
}

DecodedPixels turned_upright(const DecodedPixels& pixels, std::uint8_t orientation);

}  // namespace penstock::convert
