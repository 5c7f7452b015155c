// What an EXIF orientation says about how a picture is stored.
#pragma once

#include <cstdint>

namespace penstock {

/// From the upright picture to the stored one: the axes are swapped first, then mirrored.
struct StoredAxes {
  bool are_swapped = false;  // stored columns are upright rows
  bool is_x_mirrored = false;
  bool is_y_mirrored = false;
};

/// Values other than 1 to 8 count as 1.
///
/// Source  EXIF 2.32 (CIPA DC-008), tag 0x0112 Orientation: the sides of the upright picture that
///         row 0 and column 0 of the stored one show
constexpr StoredAxes stored_axes(std::uint8_t exif_orientation) noexcept {
  switch (exif_orientation) {
    case 2:  // row 0 top, column 0 right
      return {.is_x_mirrored = true};
    case 3:  // row 0 bottom, column 0 right
      return {.is_x_mirrored = true, .is_y_mirrored = true};
    case 4:  // row 0 bottom, column 0 left
      return {.is_y_mirrored = true};
    case 5:  // row 0 left, column 0 top
      return {.are_swapped = true};
    case 6:  // row 0 right, column 0 top
      return {.are_swapped = true, .is_y_mirrored = true};
    case 7:  // row 0 right, column 0 bottom
      return {.are_swapped = true, .is_x_mirrored = true, .is_y_mirrored = true};
    case 8:  // row 0 left, column 0 bottom
      return {.are_swapped = true, .is_x_mirrored = true};
    default:  // row 0 top, column 0 left
      return {};
  }
}

}  // namespace penstock
