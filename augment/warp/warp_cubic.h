// The bicubic pass for maps with rotation and shear, in vectors: every pixel finds its own 4 x 4
// neighbours. Built for every instruction set of the architecture; the best one is chosen at run time.
#pragma once

#include "augment/warp/warp_frame.h"

namespace penstock::augment {

/// Whether sample_cubic() can sample it: has_turned_positions(), and pixels side by side in an image of
/// at least 4 x 4 pixels, of 4 GiB at most.
bool has_cubic_way(const WarpJob& job) noexcept;

/// Samples a turned or sheared picture for Interpolation::kBicubic, where has_cubic_way().
/// Gives the bytes of warp_filtered_pixel_by_pixel(), on every instruction set.
void sample_cubic(const WarpJob& job, const Frame& frame) noexcept;

}  // namespace penstock::augment
