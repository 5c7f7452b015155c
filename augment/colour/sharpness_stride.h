// How far apart rows of a sharpened picture lie in scratch.
#pragma once

#include <cstddef>
#include <cstdint>

namespace penstock::augment {

/// Floats from one row in scratch to the next: whole cache lines, and a vector more than the row.
constexpr std::size_t sharpness_stride(std::uint32_t width_px) noexcept {
  constexpr std::size_t kLineFloats = 16;
  return (width_px + 2 * kLineFloats) / kLineFloats * kLineFloats;
}

}  // namespace penstock::augment
