// A tail with hue as the pixels are worked out: in whole numbers of 1/128 of a level, in 16 bits. A vector
// holds twice as many of them as floats. Knows one pixel; knows no canvas.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "augment/colour/colour_pass.h"
#include "augment/colour/hue_turn.h"

namespace penstock::augment {

/// Three channels in units of 1/128 of a level.
using FixedRgb = std::array<std::int16_t, 3>;
constexpr float kFixedPerLevel = 128;
constexpr std::int16_t kFixedWhite = 255 * 128;

/// A matrix and a turn of the hue, in units of 2^-15.
///
/// Error  a matrix at most 2.5/128 2^`shift` of a level a channel, the turn three times as much and 2/128
struct FixedTail {
  /// A matrix fits when no row's factors add up to more, its offset counted in units of 255.
  static constexpr double kMostReach = 7.9;

  /// Precondition  the tail has a hue
  explicit FixedTail(const ColourTail& tail) noexcept;

  HueTurn hue;
  std::int16_t share = 0;  // that of `hue`

  /// Whether the matrix is in here: one of large factors is left to floats.
  bool has_mix = false;
  /// Each source channel times `own`, and the sum of them all times `shared`, and `offset`, of which
  /// 2^`shift` times as much counts: 0 to 3.
  std::int16_t own = 0;
  std::array<std::int16_t, 3> shared{};
  std::int16_t offset = 0;
  std::uint8_t shift = 0;
};

/// a b / 2^15, rounded; halves up.
inline std::int16_t fixed_product(std::int16_t a, std::int16_t b) noexcept {
  return static_cast<std::int16_t>((std::int32_t{a} * b + 0x4000) >> 15);
}

/// Rounds 0 to 255, halves to even.
inline std::int16_t fixed_of(float level) noexcept {
  // From 2^23 on the last place of a float is 1: the addition rounds.
  const float held = std::min(std::max(level, 0.0f), 255.0f);
  return static_cast<std::int16_t>((held * kFixedPerLevel + 0x1p23f) - 0x1p23f);
}

inline FixedRgb mix_fixed(const FixedRgb& rgb, const FixedTail& tail) noexcept {
  int sum = tail.offset;
  for (std::size_t c = 0; c < 3; ++c) sum += fixed_product(rgb[c], tail.shared[c]);
  FixedRgb mixed{};
  for (std::size_t c = 0; c < 3; ++c) {
    const int value = sum + fixed_product(rgb[c], tail.own);
    mixed[c] =
        static_cast<std::int16_t>(std::clamp(value, 0, kFixedWhite >> tail.shift) << tail.shift);
  }
  return mixed;
}

/// turn_hue()
inline FixedRgb turn_fixed(const FixedRgb& rgb, std::int16_t share) noexcept {
  const auto [smallest, largest] = std::minmax({rgb[0], rgb[1], rgb[2]});
  const int part = fixed_product(static_cast<std::int16_t>(largest - smallest), share);
  FixedRgb turned{};
  for (std::size_t c = 0; c < 3; ++c) {
    const std::int16_t next = rgb[(c + 1) % 3];
    const std::int16_t last = rgb[(c + 2) % 3];
    const int value = rgb[c] - next + (last > next ? smallest + part : largest - part);
    turned[c] = static_cast<std::int16_t>(std::clamp<int>(value, smallest, largest));
  }
  return turned;
}

/// A pixel: the matrix, if it is in the tail, and hue.
inline FixedRgb finished_fixed(const FixedRgb& rgb, const FixedTail& tail) noexcept {
  return in_order(rgb, tail.hue, [&](const FixedRgb& ordered) {
    return turn_fixed(tail.has_mix ? mix_fixed(ordered, tail) : ordered, tail.share);
  });
}

}  // namespace penstock::augment
