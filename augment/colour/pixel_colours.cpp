#include "augment/colour/pixel_colours.h"

#include <algorithm>

namespace penstock::augment {
namespace {

/// Of sixths from -7 on.
float from_minus_one(float sixths) noexcept {
  return sixths < -1 ? sixths + 6 : sixths;
}

}  // namespace

PixelColours::PixelColours(const ColourTail& tail,
                           std::span<const ChannelScale, 3> normalisation) noexcept
    : has_mix(tail.matrix.has_value()), has_hue(tail.hue_sixths.has_value()) {
  std::ranges::copy(normalisation, scales.begin());
  const std::array<ChannelScale, 3> unit{};
  if (has_mix) {
    mixes = tail.matrix->mixes(has_hue ? unit : scales);
    is_diagonal = tail.matrix->is_diagonal();
  }
  if (has_hue) {
    // The opposites of red, green and blue are cyan, magenta and yellow. A turn forward finds them back.
    const float turn = *tail.hue_sixths;
    hue_centres = {from_minus_one(3 - turn), from_minus_one(-1 - turn), from_minus_one(1 - turn)};
  }
}

}  // namespace penstock::augment
