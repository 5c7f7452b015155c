// The pass for maps without rotation and shear, in vectors: each source row fills a row of the
// output. Built for every instruction set of the architecture; the best one is chosen at run time.
#pragma once

#include "augment/warp/column_table.h"

namespace penstock::augment {

/// Samples row by row: blends two source rows over the columns in use, then picks the columns with
/// permutes; columns that are whole pixels are converted straight from the source.
/// Gives the bytes of warp_pixel_by_pixel(), on every instruction set.
void sample_rows(const WarpJob& job, const Frame& frame, const Lines& lines,
                 const ColumnTable& table) noexcept;

/// Does the same of planes, of whose floats it leaves the lower halves alone, side by side (low_halves.h).
/// False, with nothing written, where the picture's pixels are not side by side.
bool sample_low_halves(const WarpJob& job, const Frame& frame, const Lines& lines,
                       const ColumnTable& table) noexcept;

}  // namespace penstock::augment
