// The pass for maps that turn the picture by a quarter: each source row fills a column of the
// output.
#pragma once

#include "augment/warp/column_table.h"

namespace penstock::augment {

/// Samples column by column: blends two source rows over the pixels in use, then picks from them.
/// Gives the bytes of warp_pixel_by_pixel().
void sample_columns(const WarpJob& job, const Frame& frame, const Lines& lines,
                    const ColumnTable& table) noexcept;

}  // namespace penstock::augment
