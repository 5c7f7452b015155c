// A perceptual hash: 64 bits that stay nearly the same when a picture is resized or encoded anew.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "tools/convert/image/luma_cells.h"

namespace penstock::convert {

/// By default two pictures of at most so many differing bits look alike; README.md has what that finds.
inline constexpr unsigned kNearBits = 5;
/// The most that find_near_pairs() looks for.
inline constexpr unsigned kMaxNearBits = 7;

/// Each bit says whether one of the 64 coefficients 1 to 8 by 1 to 8 of the cosine transform of the cells is
/// above the median of all; cells turned upright by the EXIF `orientation`, 1 to 8. Nothing for a picture
/// of one tone, whose cells differ by less than 4 levels: noise would decide. Where no two coefficients are
/// equal 31 bits are set, so that distances are even.
///
/// Reproducible  integers alone: the same on any machine
std::optional<std::uint64_t> look_hash(const LumaCells& cells, std::uint8_t orientation);

constexpr unsigned look_distance_bits(std::uint64_t a, std::uint64_t b) noexcept {
  return static_cast<unsigned>(std::popcount(a ^ b));
}

}  // namespace penstock::convert
