// Values of 16 bits in the lower halves of floats: what a sampler makes of pixels with a gain of 2^n and a
// bias of 2^23, from where on the last place of a float is 1. They are whole multiples of 2^-n, rounded to
// the nearest, halves to even.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace penstock::augment {

constexpr float kLowHalfBias = 0x1p23f;

inline std::int16_t low_half(float value) noexcept {
  return static_cast<std::int16_t>(std::bit_cast<std::uint32_t>(value) & 0xFFFF);
}

/// Moves the lower halves of `num_values` floats to the front of the memory that they lie in.
///
/// Threads  pure; allocates nothing
void gather_low_halves(float* values, std::size_t num_values) noexcept;

}  // namespace penstock::augment
