// The picture that an antialiased sample of a turned or sheared map is taken from: reduced along both
// axes with the triangle first, then blended as any other (torchvision: Resize, then an affine map).
// Knows no output.
#pragma once

#include "augment/filter_window.h"
#include "augment/warp_frame.h"

namespace penstock::augment {

/// One axis of the reduced picture. Pixel u is centred `step` (u + 0.5) - 0.5 in the source, wherever
/// the part at hand begins.
struct ReducedAxis {
  ReducedAxis(const Axis& source, double step_px) noexcept;

  FilterWindow window(std::uint32_t u) const noexcept {
    return find_window(filter.scale * u + offset, filter);
  }

  FilterAxis filter;  // its scale is the step
  double offset;
  Axis reduced;  // as the blend sees it, whole
};

/// Both axes, and the map from output pixels to reduced ones.
struct Reduction {
  Reduction(const WarpJob& job, const Frame& frame) noexcept;

  /// A map that shrinks along neither axis sees the picture itself.
  bool is_needed() const noexcept { return x.filter.scale > 1 || y.filter.scale > 1; }

  ReducedAxis x;
  ReducedAxis y;
  AffineMap map;
};

}  // namespace penstock::augment
