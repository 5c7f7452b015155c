#include "augment/sampling_plan.h"

#include <algorithm>

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
  AffineMap map;
  if (drawn.is_flipped) map = compose(map, flip_horizontal_map(output));
  map = compose(map, zoom_map(drawn.zoom, output));
  map = compose(map, shift_map(drawn.shift_px));
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

std::uint32_t choose_decode_scale(const AffineMap& map, DecodeScaling scaling,
                                  std::uint32_t max_scale) noexcept {
  if (scaling == DecodeScaling::kOff) return 1;
  const double smallest = singular_values(map).smallest;
  for (const std::uint32_t scale : {8u, 4u, 2u}) {
    if (scale <= max_scale && smallest >= scale) return scale;
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
  const PixelSpan columns = touched_span(x, sampling.stored.width, sampling.decode_scale);
  const PixelSpan rows = touched_span(y, sampling.stored.height, sampling.decode_scale);
  return {columns.begin, rows.begin, columns.length, rows.length};
}

}  // namespace penstock::augment
