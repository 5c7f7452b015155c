// An axis of the picture as vectors of positions use it, and the pixels of an output row that need
// neither clamping nor a fill mode.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "augment/warp/turned_positions.h"
#include "augment/warp/warp_frame.h"

namespace penstock::augment {

/// What is loaded at once from a row: a pixel, the one to its right, and what lies behind.
constexpr std::size_t kPairBytes = 8;

/// Limits on an axis, of positions in the whole picture.
///
/// A position is `inner` where it is neither clamped nor folded back, and `reach_px` pixels from its
/// first neighbour on are there to be read.
struct GeneralAxis {
  GeneralAxis(const Axis& axis, std::uint32_t reach_px) noexcept
      : begin(axis.begin),
        end(std::max(begin, std::min(axis.last, begin + axis.length - 1))),
        inner_end(std::min(begin + axis.length + 1 - reach_px, axis.extent - 0.5) -
                  (axis.snaps ? 0.5 : 0.0)),
        last(axis.last),
        extent(axis.extent),
        fill_mode(axis.fill_mode),
        snaps(axis.snaps) {}

  bool folds() const noexcept { return comes_again(fill_mode); }

  bool is_inner(double position) const noexcept {
    return position >= begin && position < inner_end && position + 0.5 < extent;
  }

  double begin;  // centres of the first and the last pixel of the part at hand
  double end;
  double inner_end;
  double last;  // of the whole picture
  double extent;
  FillMode fill_mode;
  bool snaps;
};

/// Pixels from `begin` to before `end` of an output row.
struct PixelRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// The real x for which a position lies between the limits, in `from` and `to`.
inline void narrow(const RowPositions& positions, const GeneralAxis& axis, double& from,
                   double& to) noexcept {
  if (positions.step == 0) return;
  constexpr double kUnit = 1.0 / (std::int64_t{1} << kStepBits);
  const double start = static_cast<double>(positions.start) * kUnit;
  const double pixels_per_step = 1 / (static_cast<double>(positions.step) * kUnit);
  const double a = (axis.begin - start) * pixels_per_step;
  const double b = (axis.inner_end - start) * pixels_per_step;
  from = std::max(from, std::min(a, b));
  to = std::min(to, std::max(a, b));
}

/// The pixels of a row whose positions are inner on both axes. Positions rise or fall along a row,
/// rounded too, so what holds for the first and the last pixel holds between them.
inline PixelRange inner_range(const RowPositions& columns, const GeneralAxis& x,
                              const RowPositions& rows, const GeneralAxis& y,
                              std::uint32_t width_px) noexcept {
  double from = 0;
  double to = width_px;
  narrow(columns, x, from, to);
  narrow(rows, y, from, to);
  const auto is_inner = [&](std::uint32_t i) {
    return x.is_inner(columns.at(i)) && y.is_inner(rows.at(i));
  };
  if (!(from <= to)) return {};
  // Not ceil(), which is a call into the library on old instruction sets.
  PixelRange range{static_cast<std::uint32_t>(from),
                   std::min(static_cast<std::uint32_t>(to) + 1, width_px)};
  while (range.begin < range.end && !is_inner(range.begin)) ++range.begin;
  while (range.begin < range.end && !is_inner(range.end - 1)) --range.end;
  return range;
}

}  // namespace penstock::augment
