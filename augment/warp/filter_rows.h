// A filter pass in vectors (Highway), whose lanes are lines of the result: a tap of a column is one
// load and one weight for all of them.
#pragma once

#include <cstdint>

#include "augment/warp/column_table.h"
#include "augment/warp/filter_table.h"
#include "augment/warp/warp_frame.h"

namespace penstock::augment {

/// Whether the image's rows are what vectors of bytes want.
bool has_filter_rows(const ImageView& image, std::uint32_t channels) noexcept;

/// Samples a map without turn, or a quarter turn, into the slot: what shows the picture.
void filter_into_slot(const FilterPass& pass, const FilterTable& table, const WarpJob& job,
                      const Frame& frame, const Lines& lines) noexcept;

/// Makes an image of bytes, as many channels as the source has, rows without gaps.
void filter_into_bytes(const FilterPass& pass, const FilterTable& table, const SampleSlot& slot,
                       std::uint8_t* pixels_hwc) noexcept;

}  // namespace penstock::augment
