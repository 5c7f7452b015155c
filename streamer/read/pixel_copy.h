// Parts of pictures that lie in memory, for the decoders that have them there.
#pragma once

#include <cstddef>
#include <span>

#include "streamer/core/image_view.h"

namespace penstock {

/// Lays pixels of `region`'s sides and without gaps into `pixels`.
MutableImageView part_of(const RectPx& region, std::uint32_t channels,
                         std::span<std::byte> pixels) noexcept;

/// The pixel of a picture from which on a part of it is taken.
struct FirstPixel {
  std::uint32_t x = 0;
  std::uint32_t y = 0;
};

/// Fills `part` with the pixels of `whole` from its column `first.x` and row `first.y` on. Gray is
/// repeated for RGB; RGB becomes its luma, rounded.
///
/// Needs   1 or 3 channels without gaps between pixels in either; `part` lies within `whole`
/// Source  ITU-R BT.601 luma, as JPEG uses it
void copy_part(const ImageView& whole, FirstPixel first, const MutableImageView& part) noexcept;

}  // namespace penstock
