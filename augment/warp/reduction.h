// The picture that an antialiased sample of a turned or sheared map is taken from: reduced along both
// axes with the triangle first, then blended as any other (torchvision: Resize, then an affine map).
// Knows no output.
#pragma once

#include <optional>

#include "augment/warp/filter_table.h"
#include "augment/warp/filter_window.h"
#include "augment/warp/warp_frame.h"

namespace penstock::augment {

/// One axis of the reduced picture. Pixel u is centred `step` (u + 0.5) - 0.5 in the source, wherever
/// the part at hand begins.
struct ReducedAxis {
  ReducedAxis(const Axis& source, double step_px) noexcept;

  FilterWindow window(std::uint32_t u) const noexcept {
    return find_window(filter.scale * u + offset, filter);
  }

  FilterPositions positions(std::uint32_t first_u) const noexcept {
    return {.filter = filter, .factor = filter.scale, .offset = offset, .first_idx = first_u};
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

  /// The reduced pixels that the output's are blended from; nothing for maps without sense. At most
  /// reduced_side_px() a side where the fill mode does not bring ends together that lie apart.
  std::optional<RectPx> seen_part(const BatchSpec& spec) const noexcept;

  ReducedAxis x;
  ReducedAxis y;
  AffineMap map;
};

/// One step in the output is at most one reduced pixel along either axis, so that a row of positions and
/// a column of them span no more than the output's diagonal.
std::uint32_t reduced_side_px(const BatchSpec& spec) noexcept;

/// Reduced pixels that the scratch has room for: all that such an output may see, unless it is long and
/// thin (beyond about 1 : 3.7) and turned far.
std::size_t reduced_capacity_px(const BatchSpec& spec) noexcept;

}  // namespace penstock::augment
