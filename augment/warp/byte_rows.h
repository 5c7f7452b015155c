// uint8 batches of maps without rotation and shear, in vectors of 16-bit whole numbers.
// Built for every instruction set of the architecture; the best one is chosen at run time.
#pragma once

#include "augment/warp/column_table.h"

namespace penstock::augment {

/// Samples row by row: blends two source rows over the columns in use, then pairs of neighbours; whole
/// pixels are copied. Gives the bytes of warp_pixel_by_pixel(), on every instruction set.
///
/// Needs  a uint8 slot, and pixels side by side in the image
/// Returns false where it has no way; nothing is written then
bool sample_byte_rows(const WarpJob& job, const Frame& frame, const Lines& lines,
                      const ColumnTable& table) noexcept;

}  // namespace penstock::augment
