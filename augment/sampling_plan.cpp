#include "augment/sampling_plan.h"

#include <algorithm>
#include <cmath>

namespace penstock::augment {
namespace {

struct Interval {
  double lo = 0;
  double hi = 0;
};

struct PixelSpan {
  std::uint32_t begin = 0;
  std::uint32_t length = 0;
};

/// What of the picture, `extent` decoded pixels long, is seen at these positions: mirrored ones lie
/// where their images are, wrapped ones anywhere.
Interval seen_interval(Interval p, double extent, FillMode mode) noexcept {
  const Interval picture{-0.5, extent - 0.5};
  if (mode == FillMode::kNearest || mode == FillMode::kConstant) return p;
  // Wrapped, the outer half of an edge's pixel is blended with the other edge.
  const Interval whole_pixels{0, std::ceil(extent) - 1};
  const Interval inside = mode == FillMode::kWrap ? whole_pixels : picture;
  if (p.lo >= inside.lo && p.hi <= inside.hi) return p;
  const bool is_near = p.lo >= picture.lo - extent && p.hi <= picture.hi + extent;  // not with NaN
  if (mode == FillMode::kWrap || !is_near) return picture;
  return {std::max(std::min(p.lo, 2 * picture.hi - p.hi), picture.lo),
          std::min(std::max(p.hi, 2 * picture.lo - p.lo), picture.hi)};
}

/// Turns positions on one axis of the decoded picture into full-resolution pixels.
PixelSpan touched_span(Interval positions, std::uint32_t full_px, std::uint32_t scale) noexcept {
  const std::uint32_t decoded_px = decoded_size({full_px, full_px}, scale).width;
  const double last = static_cast<double>(decoded_px) - 1;
  // The comparisons are written so that NaN counts as 0.
  const auto clamp = [last](double v) { return v > 0 ? (v < last ? v : last) : 0.0; };
  const auto first_idx = static_cast<std::uint32_t>(clamp(positions.lo));
  const auto last_idx = static_cast<std::uint32_t>(clamp(positions.hi)) + 1;  // right neighbour
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
  x = seen_interval(x, sampling.stored.width / scale, sampling.fill_mode);
  y = seen_interval(y, sampling.stored.height / scale, sampling.fill_mode);
  const PixelSpan columns = touched_span(x, sampling.stored.width, sampling.decode_scale);
  const PixelSpan rows = touched_span(y, sampling.stored.height, sampling.decode_scale);
  return {columns.begin, rows.begin, columns.length, rows.length};
}

}  // namespace penstock::augment
