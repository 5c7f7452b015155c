#include "augment/reduction.h"

#include <cmath>

namespace penstock::augment {
namespace {

// The reduction knows no fill mode: its positions lie in the picture.
Axis without_fill(Axis axis) noexcept {
  axis.fill_mode = FillMode::kNearest;
  return axis;
}

}  // namespace

ReducedAxis::ReducedAxis(const Axis& source, double step_px) noexcept
    : filter(without_fill(source), Interpolation::kBilinearAntialias, step_px),
      offset(0.5 * filter.scale - 0.5),
      reduced(source) {
  reduced.extent = source.extent / filter.scale;
  reduced.last = std::ceil(reduced.extent) - 1;
  reduced.begin = 0;
  reduced.length = static_cast<std::uint32_t>(reduced.last) + 1;
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
