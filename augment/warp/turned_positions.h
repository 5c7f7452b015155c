// Where a turned or sheared map samples, in whole numbers: the same on every vector unit, whatever
// the order in which they are added up.
#pragma once

#include <cmath>
#include <cstdint>

#include "augment/affine_map.h"

namespace penstock::augment {

/// Positions are whole multiples of 2^-24 pixel: what a float weight holds. They are added up in
/// 2^-32, so that a row of 256 pixels is off by 2^-24 at most.
constexpr int kPositionBits = 24;
constexpr int kStepBits = 32;
constexpr int kGuardBits = kStepBits - kPositionBits;

/// Positions along an output row, on one axis: start + step * x, in 2^-32 pixel.
struct RowPositions {
  std::int64_t start = 0;  // with half a 2^-24 on top, so that cutting the rest off rounds
  std::int64_t step = 0;

  double at(std::uint32_t x_px) const noexcept {
    const std::int64_t position = (start + step * static_cast<std::int64_t>(x_px)) >> kGuardBits;
    return static_cast<double>(position) * (1.0 / (1 << kPositionBits));  // exact
  }
};

/// Whether the map turns or shears, and its positions are small enough for whole numbers: all of
/// the output within 2^19 pixels of the picture's corner. Others are float64.
inline bool has_turned_positions(const AffineMap& map, SizePx output) noexcept {
  if (!map.is_turned()) return false;
  constexpr double kReachPx = 1 << 19;
  const double right = static_cast<double>(output.width) - 1;
  const double bottom = static_cast<double>(output.height) - 1;
  // Written so that NaN is not near.
  const auto is_near = [](PointPx p) {
    return std::abs(p.x) <= kReachPx && std::abs(p.y) <= kReachPx;
  };
  return is_near({map.xx, map.yx}) && is_near({map.xy, map.yy}) && is_near(map({0, 0})) &&
         is_near(map({right, 0})) && is_near(map({0, bottom})) && is_near(map({right, bottom}));
}

/// The positions of one output row.
struct TurnedRow {
  TurnedRow(const AffineMap& map, std::uint32_t row_idx) noexcept
      : columns(positions(map.xy * row_idx + map.x0, map.xx)),
        rows(positions(map.yy * row_idx + map.y0, map.yx)) {}

  PointPx at(std::uint32_t x_px) const noexcept { return {columns.at(x_px), rows.at(x_px)}; }

  RowPositions columns;
  RowPositions rows;

 private:
  static std::int64_t fixed(double px) noexcept {
    constexpr double kOne = std::int64_t{1} << kStepBits;
    return static_cast<std::int64_t>(std::floor(px * kOne + 0.5));
  }
  static RowPositions positions(double start, double step) noexcept {
    constexpr std::int64_t kHalf = std::int64_t{1} << (kGuardBits - 1);
    return {fixed(start) + kHalf, fixed(step)};
  }
};

}  // namespace penstock::augment
