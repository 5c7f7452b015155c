// The few float operations of which every colour is made: what the vectors do, one pixel at a time.
#pragma once

#include <array>

#include "augment/colour_matrix.h"

namespace penstock::augment {

// As vector units choose: of two equal values the second.
inline float lesser(float a, float b) noexcept {
  return a < b ? a : b;
}
inline float greater(float a, float b) noexcept {
  return a > b ? a : b;
}

inline float mix_one(float value, float gain, const ChannelMix& mix) noexcept {
  return lesser(greater(value * gain + mix.offset, mix.lowest), mix.highest);
}

inline float mix_three(const std::array<float, 3>& rgb, const ChannelMix& mix) noexcept {
  const float red_green = rgb[0] * mix.gains[0] + rgb[1] * mix.gains[1];
  const float sum = red_green + rgb[2] * mix.gains[2] + mix.offset;
  return lesser(greater(sum, mix.lowest), mix.highest);
}

/// A turn of the colour wheel in sixths, 0 to 6.
inline float hue_sixths(float turns) noexcept {
  const float sixths = turns * 6.0f;
  return sixths < 0 ? sixths + 6.0f : sixths;
}

/// Where each channel stands on the wheel: red falls from sixth 1 on, 5 sixths after the start that
/// the formula below counts from.
inline constexpr std::array<float, 3> kHuePlaces = {5, 3, 1};

/// One channel of a colour of this largest value, spread and hue in sixths, from -1 to below 6.
/// The same as the six cases of _hsv2rgb: p is largest - spread, q and t lie on the slopes between.
inline float channel_of_hue(float largest, float spread, float hue, float place) noexcept {
  float at = hue + place;
  at = at >= 6.0f ? at - 6.0f : at;
  const float slope = lesser(at, 4.0f - at);
  const float share = greater(lesser(slope, 1.0f), 0.0f);
  return largest - spread * share;
}

/// Turns the hue by `sixths`, hue_sixths() of a turn.
///
/// Source  torchvision 0.15, transforms.functional_tensor: _rgb2hsv, _hsv2rgb
inline std::array<float, 3> turn_hue(const std::array<float, 3>& rgb, float sixths) noexcept {
  const auto [red, green, blue] = rgb;
  const float largest = greater(greater(red, green), blue);
  const float spread = largest - lesser(lesser(red, green), blue);
  // Which difference, and from which sixth on: about red, green or blue, the first that is largest.
  float difference = red - green;
  float start = 4.0f;
  if (largest == green) difference = blue - red, start = 2.0f;
  if (largest == red) difference = green - blue, start = 0.0f;
  const float hue = start + difference / (spread == 0 ? 1.0f : spread) + sixths;
  const float wrapped = hue >= 6.0f ? hue - 6.0f : hue;
  std::array<float, 3> turned{};
  for (std::size_t c = 0; c < 3; ++c) {
    turned[c] = channel_of_hue(largest, spread, wrapped, kHuePlaces[c]);
  }
  return turned;
}

}  // namespace penstock::augment
