// The slow twin of the colour steps: one after the other, in double precision.
// Shares no arithmetic with colour_matrix, colour_pass and finish_kernel, which it proves.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "augment/colour_steps.h"

namespace penstock::augment {

/// Applies the steps to `pixels_hwc`, in units of the stored pixels, with 1 or 3 channels. After the
/// last of some linear steps in a row values are held within 0 to 255.
///
/// Cost  for tests
void reference_colour(std::span<const ColourStep> steps, std::uint32_t channels,
                      std::vector<double>& pixels_hwc);

}  // namespace penstock::augment
