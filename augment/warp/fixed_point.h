// Bilinear blends into bytes, in whole numbers: what uint8 batches take for maps without rotation and
// shear, and quarter turns. Values on the way are 16 bits, so a vector holds twice as many as of floats.
#pragma once

#include <algorithm>
#include <cstdint>

namespace penstock::augment {

/// Of a value between the two blends: whole multiples of 2^-7, 0 to 255.
constexpr int kValueBits = 7;
/// Of a row's weight, below 1: 16 signed bits have no 2^15.
constexpr int kRowWeightBits = 15;
/// Of a column's weight, 0 to 1.
constexpr int kColumnWeightBits = 14;

// Not lrint(), which is a call into the library. Weights are not negative.
inline std::int16_t fixed_row_weight(float weight) noexcept {
  constexpr std::int32_t kOne = 1 << kRowWeightBits;
  return static_cast<std::int16_t>(
      std::min(static_cast<std::int32_t>(weight * kOne + 0.5f), kOne - 1));
}

inline std::int16_t fixed_column_weight(float weight) noexcept {
  return static_cast<std::int16_t>(weight * (1 << kColumnWeightBits) + 0.5f);
}

/// A byte and the one below it.
inline std::int16_t blend_bytes(std::uint8_t top, std::uint8_t bottom,
                                std::int16_t row_weight) noexcept {
  const std::int32_t apart = (bottom - top) * (1 << kValueBits);
  const std::int32_t part = (apart * row_weight + (1 << (kRowWeightBits - 1))) >> kRowWeightBits;
  return static_cast<std::int16_t>((top << kValueBits) + part);
}

/// Two of these side by side: a byte, halves to even.
inline std::uint8_t blend_to_byte(std::int16_t left, std::int16_t right,
                                  std::int16_t column_weight) noexcept {
  const std::int32_t sum =
      left * ((1 << kColumnWeightBits) - column_weight) + right * column_weight;
  const std::int32_t value = (sum + (1 << (kColumnWeightBits - 1))) >> kColumnWeightBits;
  constexpr std::int32_t kBelowHalf = (1 << (kValueBits - 1)) - 1;
  return static_cast<std::uint8_t>((value + kBelowHalf + (value >> kValueBits & 1)) >> kValueBits);
}

}  // namespace penstock::augment
