// The filter pass of a picture that becomes half as wide and half as high, in vectors (Highway) whose
// lanes are pixels: all of them have the same weights, in whole numbers.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "augment/warp/filter_table.h"
#include "augment/warp/warp_frame.h"

namespace penstock::augment {

/// Lines and pixels whose four taps lie in the image. Beside them is at most one at either end.
struct HalvedPart {
  ShownRange lines{};
  ShownRange pixels{};
};

/// Nothing where a pass does not take the triangle of four pixels at steps of two.
std::optional<HalvedPart> find_halved_part(const FilterPass& pass) noexcept;

/// Samples what shows the picture, three channels without a quarter turn, into the slot; false where the
/// scratch or the line is too short.
bool filter_halves(const FilterPass& pass, const HalvedPart& part, const WarpJob& job,
                   const Frame& frame, std::span<std::byte> scratch) noexcept;

}  // namespace penstock::augment
