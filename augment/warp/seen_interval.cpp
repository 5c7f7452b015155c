#include "augment/warp/seen_interval.h"

#include <algorithm>
#include <cmath>

namespace penstock::augment {

Interval seen_interval(Interval p, double extent, FillMode mode) noexcept {
  const Interval picture{-0.5, extent - 0.5};
  if (mode == FillMode::kNearest || mode == FillMode::kConstant) return p;
  // Wrapped, the outer half of an edge's pixel is blended with the other edge.
  // The last pixel may reach beyond the picture, where the first begins again.
  const Interval whole_pixels{0, std::min(std::ceil(extent) - 1, picture.hi)};
  const Interval inside = mode == FillMode::kWrap ? whole_pixels : picture;
  if (p.lo >= inside.lo && p.hi <= inside.hi) return p;
  const bool is_near = p.lo >= picture.lo - extent && p.hi <= picture.hi + extent;  // not with NaN
  if (mode == FillMode::kWrap || !is_near) return picture;
  return {std::max(std::min(p.lo, 2 * picture.hi - p.hi), picture.lo),
          std::min(std::max(p.hi, 2 * picture.lo - p.lo), picture.hi)};
}

}  // namespace penstock::augment
