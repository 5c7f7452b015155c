#include "augment/colour/pixel_colours.h"

#include <algorithm>

namespace penstock::augment {
PixelColours::PixelColours(const ColourTail& tail,
                           std::span<const ChannelScale, 3> normalisation) noexcept
    : has_mix(tail.matrix.has_value()) {
  std::ranges::copy(normalisation, scales.begin());
  if (tail.hue_sixths) {
    fixed.emplace(tail);
    has_mix = has_mix && !fixed->has_mix;
    for (ChannelScale& scale : scales) scale.gain /= kFixedPerLevel;
  }
  if (!has_mix) return;
  const std::array<ChannelScale, 3> unit{};
  mixes = tail.matrix->mixes(fixed ? unit : scales);
  is_diagonal = tail.matrix->is_diagonal();
}

}  // namespace penstock::augment
