// Values of a batch's element types as floats, and floats back to them, rounded to the nearest and to
// even when tied: one by one. mix_pair.cpp has the same in vectors.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "streamer/core/batch.h"

namespace penstock::augment {

/// Returns the value of a float16. Infinities and NaNs stay what they are.
inline float float_of_half(std::uint16_t half) noexcept {
  const std::uint32_t magnitude = half & 0x7FFFu;
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  // Exponents of float16 begin 112 below those of float32; a product brings subnormals along.
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  const std::uint32_t above = magnitude >= 0x7C00u ? 0x7F800000u : 0u;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(scaled) | above | sign);
}

/// Returns the nearest float16; infinity from 65520 on.
inline std::uint16_t half_of_float(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
  const std::uint32_t sign = bits >> 16 & 0x8000u;
  std::uint32_t half = 0;
  if (magnitude >= 0x47800000u) {  // 2^16, infinity or NaN
    half = magnitude > 0x7F800000u ? 0x7E00u : 0x7C00u;
  } else if (magnitude <
             0x38800000u) {  // 2^-14: a sum with 0.5 rounds to the 24 binary places that are
    const float sum = std::bit_cast<float>(magnitude) + 0.5f;
    half = std::bit_cast<std::uint32_t>(sum) - 0x3F000000u;
  } else {
    half = (magnitude - (112u << 23) + 0xFFFu + (magnitude >> 13 & 1u)) >> 13;
  }
  return static_cast<std::uint16_t>(half | sign);
}

inline float float_of_bfloat(std::uint16_t bfloat) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bfloat) << 16);
}

/// Returns the nearest bfloat16.
inline std::uint16_t bfloat_of_float(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

/// One value of a batch as a float, and back.
template <ElementType kType>
struct MixElement {
  /// The integer or float that a value is stored as.
  using Stored = std::conditional_t<
      kType == ElementType::kFloat32, float,
      std::conditional_t<kType == ElementType::kUint8, std::uint8_t, std::uint16_t>>;

  static float load(const std::byte* values, std::size_t idx) noexcept {
    Stored stored;
    std::memcpy(&stored, values + idx * sizeof stored, sizeof stored);
    if constexpr (kType == ElementType::kFloat16) {
      return float_of_half(stored);
    } else if constexpr (kType == ElementType::kBfloat16) {
      return float_of_bfloat(stored);
    } else {
      return static_cast<float>(stored);
    }
  }

  static void store(float value, std::byte* values, std::size_t idx) noexcept {
    Stored stored;
    if constexpr (kType == ElementType::kFloat32) {
      stored = value;
    } else if constexpr (kType == ElementType::kUint8) {
      stored = static_cast<std::uint8_t>(std::clamp(std::nearbyint(value), 0.0f, 255.0f));
    } else if constexpr (kType == ElementType::kFloat16) {
      stored = half_of_float(value);
    } else {
      stored = bfloat_of_float(value);
    }
    std::memcpy(values + idx * sizeof stored, &stored, sizeof stored);
  }
};

}  // namespace penstock::augment
