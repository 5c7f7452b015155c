#include "augment/warp/seen_interval.h"

#include <algorithm>
#include <cmath>

namespace penstock::augment {

namespace {

/// Between the centres of the first and the last pixel, counted in steps; what lies beside them is
/// blended with the other edge. A little less, because inner positions are rounded otherwise than those
/// of corners; and a last pixel that is part of one has its centre beyond the picture.
Interval between_seams(const BlendedAxis& axis) noexcept {
  constexpr double kMarginPx = 1.0 / 1024;
  constexpr double kRoundingPx = 1e-6;  // as ReducedAxis leaves it out
  const double num_px = std::ceil(axis.extent / axis.step - kRoundingPx);
  const double last = axis.step * (num_px - 0.5) - 0.5;
  return {0.5 * axis.step - 0.5 + kMarginPx, std::min(last, axis.extent - 0.5) - kMarginPx};
}

}  // namespace

Interval seen_interval(Interval p, const BlendedAxis& axis, FillMode mode) noexcept {
  const double extent = axis.extent;
  const Interval picture{-0.5, extent - 0.5};
  if (mode == FillMode::kNearest || mode == FillMode::kConstant) return p;
  const Interval inside = mode == FillMode::kWrap ? between_seams(axis) : picture;
  if (p.lo >= inside.lo && p.hi <= inside.hi) return p;
  const bool is_near = p.lo >= picture.lo - extent && p.hi <= picture.hi + extent;  // not with NaN
  if (mode == FillMode::kWrap || !is_near) return picture;
  return {std::max(std::min(p.lo, 2 * picture.hi - p.hi), picture.lo),
          std::min(std::max(p.hi, 2 * picture.lo - p.lo), picture.hi)};
}

}  // namespace penstock::augment
