#include "augment/warp/reduction.h"

#include <algorithm>
#include <cmath>

#include "augment/warp/seen_interval.h"

namespace penstock::augment {
namespace {

// The reduction knows no fill mode: its positions lie in the picture.
Axis without_fill(Axis axis) noexcept {
  axis.fill_mode = FillMode::kNearest;
  return axis;
}

struct PixelCount {
  std::uint32_t first = 0;
  std::uint32_t count = 1;
};

/// The pixels of an axis around what is seen at these positions, and one more to either side: the
/// positions of inner pixels are rounded otherwise than those of corners.
std::optional<PixelCount> pixels_at(Interval positions, const Axis& axis) noexcept {
  const Interval seen = seen_interval(positions, {.extent = axis.extent}, axis.fill_mode);
  if (!std::isfinite(seen.lo) || !std::isfinite(seen.hi)) return std::nullopt;
  const auto inside = [&](double p) { return std::clamp(p, 0.0, axis.last); };
  const auto first = static_cast<std::uint32_t>(inside(std::floor(inside(seen.lo)) - 1));
  const auto last = static_cast<std::uint32_t>(inside(std::floor(inside(seen.hi)) + 2));
  return PixelCount{first, last - first + 1};
}

// A turn and a resize to the output's own sides leave a whole number of pixels, but for rounding, which
// must not make one more of it.
constexpr double kRoundingPx = 1e-6;

/// The pixels around an interval are its length, three more, and parts of two at its ends.
constexpr std::uint32_t kMarginPx = 5;

}  // namespace

ReducedAxis::ReducedAxis(const Axis& source, double step_px) noexcept
    : filter(without_fill(source), Interpolation::kBilinearAntialias, step_px),
      offset(0.5 * filter.scale - 0.5),
      reduced(source) {
  reduced.extent = source.extent / filter.scale;
  reduced.last = std::max(std::ceil(reduced.extent - kRoundingPx), 1.0) - 1;
  reduced.begin = 0;
  reduced.length = static_cast<std::uint32_t>(reduced.last) + 1;
}

std::uint32_t reduced_side_px(const BatchSpec& spec) noexcept {
  const double diagonal = std::hypot(spec.width_px, spec.height_px);
  return static_cast<std::uint32_t>(diagonal) + kMarginPx;
}

std::size_t reduced_capacity_px(const BatchSpec& spec) noexcept {
  const std::size_t side = reduced_side_px(spec);
  const std::size_t width = spec.width_px + kMarginPx;
  const std::size_t height = spec.height_px + kMarginPx;
  return std::min(side * side, 4 * width * height);
}

std::optional<RectPx> Reduction::seen_part(const BatchSpec& spec) const noexcept {
  const double right = static_cast<double>(spec.width_px) - 1;
  const double bottom = static_cast<double>(spec.height_px) - 1;
  const PointPx corners[] = {map({0, 0}), map({right, 0}), map({0, bottom}), map({right, bottom})};
  const auto [left_of, right_of] =
      std::ranges::minmax(corners, {}, [](const PointPx& p) { return p.x; });
  const auto [above, below] =
      std::ranges::minmax(corners, {}, [](const PointPx& p) { return p.y; });
  const auto columns = pixels_at({left_of.x, right_of.x}, x.reduced);
  const auto rows = pixels_at({above.y, below.y}, y.reduced);
  if (!columns || !rows) return std::nullopt;
  return RectPx{columns->first, rows->first, columns->count, rows->count};
}

Reduction::Reduction(const WarpJob& job, const Frame& frame) noexcept
    : x(frame.x, std::hypot(job.map.xx, job.map.xy)),
      y(frame.y, std::hypot(job.map.yx, job.map.yy)) {
  const double inverse_x = 1 / x.filter.scale;
  const double inverse_y = 1 / y.filter.scale;
  map = compose(
      job.map,
      {.xx = inverse_x, .x0 = 0.5 * inverse_x - 0.5, .yy = inverse_y, .y0 = 0.5 * inverse_y - 0.5});
}

}  // namespace penstock::augment
