// A turn of the hue: what becomes of one pixel. Knows no canvas and no vectors.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace penstock::augment {

/// A turn of the colour wheel forwards, from red over green to blue.
///
/// By two sixths it only exchanges channels, so at most one sixth, forwards or backwards, is left; and
/// backwards is forwards with two channels exchanged.
struct HueTurn {
  /// Takes sixths of the wheel, 0 to 6.
  explicit HueTurn(float sixths) noexcept;

  /// The channels that turn_hue() takes, and those that it gives.
  std::array<std::uint8_t, 3> source{};
  std::array<std::uint8_t, 3> target{};
  float share = 0;  // of a sixth, 0 to 1
};

// As vector units choose: of two equal values the second.
inline float lesser(float a, float b) noexcept {
  return a < b ? a : b;
}
inline float greater(float a, float b) noexcept {
  return a > b ? a : b;
}

/// Turns the hue by a share of a sixth; `part` is as much of the spread. With red, green, blue: a channel
/// is at the top, falls, is at the bottom, rises; 2, 1, 2 and 1 sixths of the wheel. Where green is larger
/// than blue, red waits for green at the top, falls and waits at the bottom: red - green + largest - part,
/// held between both ends, says so for all three. On the other half it rises: above the smallest.
///
/// Source  torchvision 0.29, transforms/_functional_tensor.py: _rgb2hsv, _hsv2rgb
inline std::array<float, 3> turn_hue(const std::array<float, 3>& rgb, float share) noexcept {
  const float largest = greater(greater(rgb[0], rgb[1]), rgb[2]);
  const float smallest = lesser(lesser(rgb[0], rgb[1]), rgb[2]);
  const float part = (largest - smallest) * share;
  const float above = smallest + part;
  const float below = largest - part;
  std::array<float, 3> turned{};
  for (std::size_t c = 0; c < 3; ++c) {
    const float next = rgb[(c + 1) % 3];
    const float last = rgb[(c + 2) % 3];
    const float value = (rgb[c] - next) + (last > next ? above : below);
    turned[c] = lesser(greater(value, smallest), largest);
  }
  return turned;
}

/// Gives `turned` the channels in the order of the turn, and puts back what it makes of them.
template <class T, class Turn>
std::array<T, 3> in_order(const std::array<T, 3>& rgb, const HueTurn& hue, const Turn& turned) {
  const std::array<T, 3> found =
      turned(std::array<T, 3>{rgb[hue.source[0]], rgb[hue.source[1]], rgb[hue.source[2]]});
  std::array<T, 3> result{};
  for (std::size_t c = 0; c < 3; ++c) result[hue.target[c]] = found[c];
  return result;
}

}  // namespace penstock::augment
