// What becomes of one pixel's colour, and the few float operations of which it is made: what the vectors
// do, one pixel at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "augment/channel_scale.h"
#include "augment/colour/colour_matrix.h"
#include "augment/colour/colour_pass.h"
#include "augment/colour/fixed_tail.h"

namespace penstock::augment {

/// A tail and a normalisation as numbers. Without hue the matrix is normalised. With hue it is in the fixed
/// tail, or its large factors are here, and `scales` are those of fixed values.
struct PixelColours {
  PixelColours(const ColourTail& tail, std::span<const ChannelScale, 3> normalisation) noexcept;

  bool has_mix = false;
  bool is_diagonal = false;  // of the mixes
  ChannelMixes mixes{};
  std::optional<FixedTail> fixed;
  std::array<ChannelScale, 3> scales{};
};

inline float mix_one(float value, float gain, const ChannelMix& mix) noexcept {
  return lesser(greater(value * gain + mix.offset, mix.lowest), mix.highest);
}

inline float mix_three(const std::array<float, 3>& rgb, const ChannelMix& mix) noexcept {
  const float red_green = rgb[0] * mix.gains[0] + rgb[1] * mix.gains[1];
  const float sum = red_green + rgb[2] * mix.gains[2] + mix.offset;
  return lesser(greater(sum, mix.lowest), mix.highest);
}

/// Fixed values of a pixel behind the mixes, not yet an element.
inline std::array<float, 3> finished_fixed_pixel(const FixedRgb& rgb,
                                                 const PixelColours& colours) noexcept {
  const FixedRgb fixed = finished_fixed(rgb, *colours.fixed);
  std::array<float, 3> finished{};
  for (std::size_t c = 0; c < 3; ++c) {
    const ChannelScale& scale = colours.scales[c];
    finished[c] = static_cast<float>(fixed[c]) * scale.gain + scale.bias;
  }
  return finished;
}

/// A pixel of three channels, not yet an element.
inline std::array<float, 3> finished_pixel(std::array<float, 3> rgb,
                                           const PixelColours& colours) noexcept {
  if (colours.has_mix) {
    const std::array<float, 3> before = rgb;
    for (std::size_t c = 0; c < 3; ++c) rgb[c] = mix_three(before, colours.mixes[c]);
    if (!colours.fixed) return rgb;
  }
  if (colours.fixed) {
    return finished_fixed_pixel({fixed_of(rgb[0]), fixed_of(rgb[1]), fixed_of(rgb[2])}, colours);
  }
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
