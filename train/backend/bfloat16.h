// One bfloat16 in memory. Arithmetic is in float; rounding to the nearest, halves to even, when it is stored.
#pragma once

#include <bit>
#include <cstdint>

namespace penstock::train {

struct Bfloat16 {
  std::uint16_t bits = 0;
};

inline float to_float(float value) noexcept {
  return value;
}
inline float to_float(Bfloat16 value) noexcept {
  return std::bit_cast<float>(std::uint32_t{value.bits} << 16);
}

/// Rounds to T. What is not a number stays none.
template <class T>
T rounded_to(float value) noexcept;

template <>
inline float rounded_to<float>(float value) noexcept {
  return value;
}
template <>
inline Bfloat16 rounded_to<Bfloat16>(float value) noexcept {
  const auto word = std::bit_cast<std::uint32_t>(value);
  const bool is_number = value == value;
  const std::uint32_t half_less_even = 0x7FFFu + (word >> 16 & 1u);
  return {static_cast<std::uint16_t>((is_number ? word + half_less_even : word | 0x400000u) >> 16)};
}

}  // namespace penstock::train
