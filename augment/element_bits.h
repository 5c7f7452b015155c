// Elements of a batch as floats, and floats as elements, one at a time: what element_vectors-inl.h does
// in vectors. Rounded to the nearest, halves to even.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "streamer/core/batch.h"

namespace penstock::augment {

/// IEEE 754 binary16; from 65520 on infinite; NaN as 0x7E00 with its sign.
inline std::uint16_t float16_bits(float value) noexcept {
  constexpr std::uint32_t kSmallestNormal = (127 - 14) << 23;  // 2^-14
  constexpr std::uint32_t kBeyond = (127 + 16) << 23;          // 2^16
  constexpr std::uint32_t kInfinity = 255u << 23;
  const auto all_bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = all_bits >> 31 << 15;
  const std::uint32_t bits = all_bits & 0x7FFFFFFFu;
  std::uint32_t half = 0;
  if (bits >= kBeyond) {
    half = bits > kInfinity ? 0x7E00 : 0x7C00;
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

/// The value of a binary16; infinities and NaNs stay what they are.
inline float float_of_float16(std::uint16_t half) noexcept {
  const std::uint32_t magnitude = half & 0x7FFFu;
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  // Exponents of float16 begin 112 below those of float32; a product brings subnormals along.
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  const std::uint32_t above = magnitude >= 0x7C00u ? 0x7F800000u : 0u;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(scaled) | above | sign);
}

/// The upper half of a float, rounded; NaN stays one, made quiet.
inline std::uint16_t bfloat16_bits(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFu) > 255u << 23) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

inline float float_of_bfloat16(std::uint16_t bits) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// The nearest whole number within 0 to 255. Not for NaN.
inline std::uint8_t uint8_bits(float value) noexcept {
  const float held = value < 0 ? 0.0f : value > 255 ? 255.0f : value;
  return static_cast<std::uint8_t>(std::lrint(held));
}

/// One value of a batch, read and written.
template <ElementType kType>
struct Element {
  /// The integer or float that a value is stored as.
  using Stored = std::conditional_t<
      kType == ElementType::kFloat32, float,
      std::conditional_t<kType == ElementType::kUint8, std::uint8_t, std::uint16_t>>;
  using T = Stored;  // as element_vectors-inl.h calls it

  static Stored of(float value) noexcept {
    if constexpr (kType == ElementType::kUint8) return uint8_bits(value);
    if constexpr (kType == ElementType::kFloat16) return float16_bits(value);
    if constexpr (kType == ElementType::kBfloat16) return bfloat16_bits(value);
    if constexpr (kType == ElementType::kFloat32) return value;
  }

  static float value_of(Stored stored) noexcept {
    if constexpr (kType == ElementType::kFloat16) {
      return float_of_float16(stored);
    } else if constexpr (kType == ElementType::kBfloat16) {
      return float_of_bfloat16(stored);
    } else {
      return static_cast<float>(stored);
    }
  }

  static float load(const std::byte* values, std::size_t idx) noexcept {
    Stored stored;
    std::memcpy(&stored, values + idx * sizeof stored, sizeof stored);
    return value_of(stored);
  }
  static void store(float value, std::byte* values, std::size_t idx) noexcept {
    const Stored stored = of(value);
    std::memcpy(values + idx * sizeof stored, &stored, sizeof stored);
  }
};

/// Writes one element, of any type.
inline void write_element(ElementType type, float value, std::byte* to) noexcept {
  switch (type) {
    case ElementType::kUint8:
      return Element<ElementType::kUint8>::store(value, to, 0);
    case ElementType::kFloat16:
      return Element<ElementType::kFloat16>::store(value, to, 0);
    case ElementType::kBfloat16:
      return Element<ElementType::kBfloat16>::store(value, to, 0);
    case ElementType::kFloat32:
      return Element<ElementType::kFloat32>::store(value, to, 0);
  }
}

/// Reads one.
inline float read_element(ElementType type, const std::byte* from) noexcept {
  switch (type) {
    case ElementType::kUint8:
      return Element<ElementType::kUint8>::load(from, 0);
    case ElementType::kFloat16:
      return Element<ElementType::kFloat16>::load(from, 0);
    case ElementType::kBfloat16:
      return Element<ElementType::kBfloat16>::load(from, 0);
    case ElementType::kFloat32:
      break;
  }
  return Element<ElementType::kFloat32>::load(from, 0);
}

}  // namespace penstock::augment
