// The slow twin of the colour steps: one after the other, in double precision.
// Shares no arithmetic with colour_matrix, colour_pass and finish_kernel, which it proves.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "augment/colour/colour_steps.h"

namespace penstock::augment {

/// Sides and channels of a picture.
struct PictureShape {
  std::uint32_t channels = 1;
  std::uint32_t height_px = 1;
  std::uint32_t width_px = 1;
};

/// Applies the steps to `pixels_hwc`, in units of the stored pixels. After the
/// last of some linear steps in a row values are held within 0 to 255.
///
/// Cost  for tests
void reference_colour(std::span<const ColourStep> steps, const PictureShape& shape,
                      std::vector<double>& pixels_hwc);

}  // namespace penstock::augment
