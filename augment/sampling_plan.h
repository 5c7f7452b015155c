// What a sample's map asks of the decoder: at which scale, and which part of the picture.
// Knows no pixels.
#pragma once

#include <cstdint>

#include "augment/affine_map.h"
#include "augment/augment_config.h"
#include "augment/augment_draws.h"
#include "streamer/core/image_view.h"
#include "streamer/core/sample_transform.h"

namespace penstock::augment {

/// Composes the geometry of one sample: output pixels -> stored pixels at full resolution.
///
/// In the order in which a position walks: policy, flips, zoom, shear, shift, rotation (all in output
/// pixels), resize from the window of the crop, the crop's place, orientation.
AffineMap sample_map(const AugmentDraws& drawn, SizePx output, const SampleInfo& info) noexcept;

/// Returns the largest of 1, 2, 4, 8 not above `smallest_singular_value`, a map's, nor above
/// `max_scale`, the largest that the codec offers; 1 when off.
/// Decoding at that scale still leaves the map at least one decoded pixel per output pixel.
std::uint32_t choose_decode_scale(double smallest_singular_value, DecodeScaling scaling,
                                  std::uint32_t max_scale) noexcept;

/// One output, one stored picture, and the map between them.
struct Sampling {
  AffineMap map{};  // output pixels -> stored pixels at full resolution
  SizePx output{};
  SizePx stored{};
  std::uint32_t decode_scale = 1;
  FillMode fill_mode = FillMode::kNearest;
  Interpolation interpolation = Interpolation::kBilinear;
};

/// Returns the part of the stored picture that the interpolation touches, and one decoded pixel
/// more on each side where the picture has one; where the map leaves the picture, what the fill mode
/// shows there too. In stored full-resolution pixels, never empty,
/// aligned to the decode scale except at the right and bottom edges.
RectPx source_region(const Sampling& sampling) noexcept;

}  // namespace penstock::augment
