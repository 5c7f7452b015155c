// Interpolations with filters wider than two neighbours: antialiased bilinear and bicubic.
#pragma once

#include <cstddef>
#include <span>

#include "augment/warp/warp_kernel.h"

namespace penstock::augment {

/// Whether an interpolation takes this way.
bool is_filtered(Interpolation interpolation) noexcept;

/// Bytes of scratch with which warp_filtered() takes its fast way for any map whose filters have no more
/// than FilterTable::kMaxTaps taps.
std::size_t filter_scratch_bytes(const BatchSpec& spec, Interpolation interpolation) noexcept;

/// What warp() does for such a job.
///
/// A row's pixels in reach are summed first, with whole weights (RowWeights), column by column; the sums
/// are converted to float32 and summed along the row, tap after tap, and clamped to 0 to 255. A turned
/// or sheared map that shrinks the picture meets it reduced: see Reduction.
void warp_filtered(const WarpJob& job, std::span<std::byte> scratch) noexcept;

/// Does the same, pixel by pixel and without scratch: equal bytes.
void warp_filtered_pixel_by_pixel(const WarpJob& job) noexcept;

}  // namespace penstock::augment
