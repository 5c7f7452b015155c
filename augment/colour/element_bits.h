// Floats as the elements of a batch, one at a time: what the vectors do, and what is erased.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "streamer/core/batch.h"

namespace penstock::augment {

/// IEEE 754 binary16, rounded to the nearest, halves to even; from 65520 on infinite. Not for NaN.
inline std::uint16_t float16_bits(float value) noexcept {
  constexpr std::uint32_t kSmallestNormal = (127 - 14) << 23;  // 2^-14
  constexpr std::uint32_t kBeyond = (127 + 16) << 23;          // 2^16
  const auto all_bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = all_bits >> 31 << 15;
  const std::uint32_t bits = all_bits & 0x7FFFFFFFu;
  std::uint32_t half = 0;
  if (bits >= kBeyond) {
    half = 0x7C00;
  } else if (bits < kSmallestNormal) {
    // The last place of a float from 0.5 on is the last place of a subnormal: the addition rounds.
    const float sum = std::bit_cast<float>(bits) + 0.5f;
    half = std::bit_cast<std::uint32_t>(sum) - std::bit_cast<std::uint32_t>(0.5f);
  } else {
    // Thirteen places go; half of the last that stays, less one where it is even.
    const std::uint32_t rounded = bits + 0xFFFu + (bits >> 13 & 1u);
    half = (rounded - ((127u - 15u) << 23)) >> 13;
  }
  return static_cast<std::uint16_t>(sign | half);
}

/// The upper half of a float, rounded to the nearest, halves to even. Not for NaN.
inline std::uint16_t bfloat16_bits(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

/// The nearest whole number, halves to even, within 0 to 255.
inline std::uint8_t uint8_bits(float value) noexcept {
  const float held = value < 0 ? 0.0f : value > 255 ? 255.0f : value;
  return static_cast<std::uint8_t>(std::lrint(held));
}

/// Writes one element, of any type.
inline void write_element(ElementType type, float value, std::byte* to) noexcept {
  const auto write = [to](const auto& bits) { std::memcpy(to, &bits, sizeof bits); };
  switch (type) {
    case ElementType::kUint8:
      return write(uint8_bits(value));
    case ElementType::kFloat16:
      return write(float16_bits(value));
    case ElementType::kBfloat16:
      return write(bfloat16_bits(value));
    case ElementType::kFloat32:
      return write(value);
  }
}

}  // namespace penstock::augment
