// The pass for maps with rotation and shear, in vectors: every pixel finds its own neighbours.
// Built for every instruction set of the architecture; the best one is chosen at run time.
#pragma once

#include "augment/warp/warp_frame.h"

namespace penstock::augment {

/// Whether the positions of a turned map and the places of the pixels are such as vectors work with:
/// whole numbers, and pixels side by side within 4 GiB.
bool has_turned_vectors(const WarpJob& job) noexcept;

/// Whether sample_general() can sample it: has_turned_positions(), and pixels side by side, in rows of
/// 8 bytes at least, 4 GiB at most.
bool has_general_way(const WarpJob& job) noexcept;

/// Samples a turned or sheared picture, where has_general_way().
/// Gives the bytes of warp_pixel_by_pixel(), on every instruction set.
void sample_general(const WarpJob& job, const Frame& frame) noexcept;

}  // namespace penstock::augment
