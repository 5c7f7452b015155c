#include "augment/sampling_plan.h"

#include <algorithm>
#include <cmath>

#include "augment/warp/seen_interval.h"

namespace penstock::augment {
namespace {

struct PixelSpan {
  std::uint32_t begin = 0;
  std::uint32_t length = 0;
};

/// How far from a position, in decoded pixels, an interpolation takes pixels in beyond a blend of two
/// neighbours; `step_px` lie between two output pixels.
double reach_px(Interpolation interpolation, double step_px, bool is_turned) noexcept {
  if (interpolation == Interpolation::kBicubic) return 2;
  if (interpolation != Interpolation::kBilinearAntialias) return 0;
  // A turned map blends neighbours a step away, each of which reaches as far.
  const double reach = std::max(1.0, std::abs(step_px));
  return is_turned ? 2 * reach : reach;
}

/// Turns positions on one axis of the decoded picture into full-resolution pixels.
PixelSpan touched_span(Interval positions, double reach, std::uint32_t full_px,
                       std::uint32_t scale) noexcept {
  const std::uint32_t decoded_px = decoded_size({full_px, full_px}, scale).width;
  const double last = static_cast<double>(decoded_px) - 1;
  // The comparisons are written so that NaN counts as 0.
  const auto clamp = [last](double v) { return v > 0 ? (v < last ? v : last) : 0.0; };
  const auto first_idx = static_cast<std::uint32_t>(clamp(clamp(positions.lo) - reach));
  const auto last_idx =
      static_cast<std::uint32_t>(clamp(clamp(positions.hi) + reach)) + 1;  // right neighbour
  const std::uint32_t begin = (first_idx > 0 ? first_idx - 1 : 0) * scale;
  const std::uint64_t end = (std::uint64_t{std::min(last_idx + 1, decoded_px - 1)} + 1) * scale;
  return {begin, static_cast<std::uint32_t>(std::min<std::uint64_t>(end, full_px)) - begin};
}

}  // namespace

AffineMap sample_map(const AugmentDraws& drawn, SizePx output, const SampleInfo& info) noexcept {
  const SizePx stored{info.width_px, info.height_px};
  AffineMap map = policy_map(drawn.policy.steps(), output);
  if (drawn.is_flipped) map = compose(map, flip_horizontal_map(output));
  if (drawn.is_flipped_vertically) map = compose(map, flip_vertical_map(output));
  map = compose(map, zoom_map(drawn.zoom, output));
  if (drawn.shear_rad != 0) map = compose(map, shear_map(drawn.shear_rad, output));
  map = compose(map, shift_map(drawn.shift_px));
  if (drawn.rotation_rad != 0) map = compose(map, rotation_map(drawn.rotation_rad, output));
  if (drawn.crop.width == 0) {
    const SizePx upright = upright_size(stored, info.orientation);
    map = compose(map, resize_map({.output = output, .source = upright}));
  } else {
    const SizePx window{drawn.crop.width, drawn.crop.height};
    map = compose(map, resize_map({.output = output, .source = window}));
    map = compose(map, shift_map({.x = static_cast<double>(drawn.crop.x),
                                  .y = static_cast<double>(drawn.crop.y)}));
  }
  return compose(map, orientation_map(stored, info.orientation));
}

std::uint32_t choose_decode_scale(double smallest_singular_value, DecodeScaling scaling,
                                  std::uint32_t max_scale) noexcept {
  if (scaling == DecodeScaling::kOff) return 1;
  for (const std::uint32_t scale : {8u, 4u, 2u}) {
    if (scale <= max_scale && smallest_singular_value >= scale) return scale;
  }
  return 1;
}

RectPx source_region(const Sampling& sampling) noexcept {
  const AffineMap map = compose(sampling.map, decode_scale_map(sampling.decode_scale));
  const double right = static_cast<double>(sampling.output.width) - 1;
  const double bottom = static_cast<double>(sampling.output.height) - 1;
  // A map is linear: its extremes lie at the corners.
  Interval x{map.x0, map.x0};
  Interval y{map.y0, map.y0};
  for (const PointPx corner : {PointPx{right, 0}, PointPx{0, bottom}, PointPx{right, bottom}}) {
    const PointPx p = map(corner);
    x = {std::min(x.lo, p.x), std::max(x.hi, p.x)};
    y = {std::min(y.lo, p.y), std::max(y.hi, p.y)};
  }
  const double scale = sampling.decode_scale;
  const ScaleXy step{std::hypot(map.xx, map.xy), std::hypot(map.yx, map.yy)};
  const bool is_turned = map.is_turned();
  const bool is_reduced = is_turned && sampling.interpolation == Interpolation::kBilinearAntialias;
  const auto seen = [&](Interval positions, std::uint32_t full_px, double step_px) {
    const BlendedAxis axis{.extent = full_px / scale,
                           .step = is_reduced ? std::max(1.0, step_px) : 1.0};
    return seen_interval(positions, axis, sampling.fill_mode);
  };
  x = seen(x, sampling.stored.width, step.x);
  y = seen(y, sampling.stored.height, step.y);
  const auto reach = [&](double step_px) {
    return reach_px(sampling.interpolation, step_px, is_turned);
  };
  const PixelSpan columns =
      touched_span(x, reach(step.x), sampling.stored.width, sampling.decode_scale);
  const PixelSpan rows =
      touched_span(y, reach(step.y), sampling.stored.height, sampling.decode_scale);
  return {columns.begin, rows.begin, columns.length, rows.length};
}

}  // namespace penstock::augment
