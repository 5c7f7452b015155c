// What becomes of one pixel's colour, and the few float operations of which it is made: what the vectors
// do, one pixel at a time.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <span>

#include "augment/channel_scale.h"
#include "augment/colour/colour_matrix.h"
#include "augment/colour/colour_pass.h"

namespace penstock::augment {

/// A tail and a normalisation as numbers. Without hue the matrix is normalised, and `scales` are not.
struct PixelColours {
  PixelColours(const ColourTail& tail, std::span<const ChannelScale, 3> normalisation) noexcept;

  bool has_mix = false;
  bool has_hue = false;
  bool is_diagonal = false;  // of the mixes
  ChannelMixes mixes{};
  /// Where the turned wheel has the channels' opposites, in sixths from red on, -1 to 5.
  std::array<float, 3> hue_centres{};
  std::array<ChannelScale, 3> scales{};
};

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

/// Turns the hue. `at` is the hue in sixths, -1 to 5, times the spread: what _rgb2hsv divides by it,
/// _hsv2rgb multiplies again. A channel falls from the largest value to the smallest within a sixth,
/// two sixths from its opposite on: largest - spread * (|3 - |hue - centre|| - 1), held between both.
///
/// Source  torchvision 0.15, transforms.functional_tensor: _rgb2hsv, _hsv2rgb
inline std::array<float, 3> turn_hue(const std::array<float, 3>& rgb,
                                     const std::array<float, 3>& centres) noexcept {
  const auto [red, green, blue] = rgb;
  const float largest = greater(greater(red, green), blue);
  const float smallest = lesser(lesser(red, green), blue);
  const float spread = largest - smallest;
  const float two = spread + spread;
  const float three = two + spread;
  const float top = largest + spread;
  // The first that is largest counts.
  float at = (red - green) + (two + two);
  if (largest == green) at = (blue - red) + two;
  if (largest == red) at = green - blue;
  std::array<float, 3> turned{};
  for (std::size_t c = 0; c < 3; ++c) {
    const float value = top - std::abs(three - std::abs(at - centres[c] * spread));
    turned[c] = lesser(greater(value, smallest), largest);
  }
  return turned;
}

/// A pixel of three channels, not yet an element.
inline std::array<float, 3> finished_pixel(std::array<float, 3> rgb,
                                           const PixelColours& colours) noexcept {
  if (colours.has_mix) {
    const std::array<float, 3> before = rgb;
    for (std::size_t c = 0; c < 3; ++c) rgb[c] = mix_three(before, colours.mixes[c]);
    if (!colours.has_hue) return rgb;
  }
  if (colours.has_hue) rgb = turn_hue(rgb, colours.hue_centres);
  for (std::size_t c = 0; c < 3; ++c) {
    rgb[c] = rgb[c] * colours.scales[c].gain + colours.scales[c].bias;
  }
  return rgb;
}

/// A pixel of one channel.
inline float finished_gray(float value, const PixelColours& colours) noexcept {
  if (colours.has_mix) return mix_one(value, colours.mixes[0].gains[0], colours.mixes[0]);
  return value * colours.scales[0].gain + colours.scales[0].bias;
}

}  // namespace penstock::augment
