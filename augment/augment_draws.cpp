#include "augment/augment_draws.h"

namespace penstock::augment {
namespace {

double draw_between(DrawRange range, double uniform) noexcept {
  return range.lo + (range.hi - range.lo) * uniform;
}

/// Keras: a range below 1 is a fraction of the side, else pixels.
double draw_shift_px(double range, double uniform, std::uint32_t side_px) noexcept {
  const double shift = draw_between({.lo = -range, .hi = range}, uniform);
  return range < 1 ? shift * side_px : shift;
}

}  // namespace

AugmentDraws draw_augmentation(const AugmentConfig& config, SizePx output,
                               const Draws& draws) noexcept {
  const auto uniform = [&draws](DrawBlock block, unsigned slot) {
    return draws.uniform(static_cast<std::uint16_t>(block), slot);
  };
  return {
      .is_flipped = uniform(DrawBlock::kHorizontalFlip, 0) < config.horizontal_flip,
      .shift_px = {.x = draw_shift_px(config.width_shift_range, uniform(DrawBlock::kWidthShift, 0),
                                      output.width),
                   .y = draw_shift_px(config.height_shift_range,
                                      uniform(DrawBlock::kHeightShift, 0), output.height)},
      .zoom = {.x = draw_between(config.zoom_range, uniform(DrawBlock::kZoom, 1)),
               .y = draw_between(config.zoom_range, uniform(DrawBlock::kZoom, 0))},
  };
}

}  // namespace penstock::augment
