// The slow twin of tone_steps: pixel by pixel, in whole numbers where the formulas are.
// Shares no arithmetic with tone_steps, which it proves.
#pragma once

#include <vector>

#include "augment/colour/colour_steps.h"

namespace penstock::augment {

/// A picture for the twin.
///
/// Shapes  values: [channels, height_px, width_px]
struct ReferencePicture {
  std::vector<double> values;
  std::uint32_t channels = 1;
  std::uint32_t height_px = 1;
  std::uint32_t width_px = 1;
};

/// Returns the picture after one step of is_tone_step(); equal to what tone_steps makes, bit for bit.
///
/// Cost  allocates, and is slow: for tests
ReferencePicture reference_tone_step(const ColourStep& step, const ReferencePicture& picture);

}  // namespace penstock::augment
