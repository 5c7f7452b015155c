#include "augment/warp/filter_window.h"

#include <algorithm>

namespace penstock::augment {
namespace {

constexpr double kCubicRadiusPx = 2;
// Wider than any picture; maps without sense are no wider.
constexpr double kMaxScalePx = 1 << 20;

double scale_of(double step_px) noexcept {
  const double step = std::abs(step_px);
  return step > 1 ? std::min(step, kMaxScalePx) : 1;  // NaN: 1
}

/// A weight is at most 1 / sum, so this many bits more leave the largest where it is without them.
std::uint32_t fine_bits_of(double sum) noexcept {
  std::uint32_t bits = 0;
  while (bits < FilterWindow::kMaxFineBits && sum >= 2) {
    sum /= 2;
    ++bits;
  }
  return bits;
}

}  // namespace

FilterAxis::FilterAxis(const Axis& source, Interpolation interpolation, double step_px) noexcept
    : axis(source),
      scale(interpolation == Interpolation::kBicubic ? 1 : scale_of(step_px)),
      radius(interpolation == Interpolation::kBicubic ? kCubicRadiusPx : scale),
      is_cubic(interpolation == Interpolation::kBicubic) {}

FilterWindow find_window(double position, const FilterAxis& filter) noexcept {
  const Axis& axis = filter.axis;
  if (comes_again(axis.fill_mode)) position = folded(position, axis);
  const double edge = axis.extent - 0.5;
  FilterWindow window{.is_inside = position >= -0.5 && position <= edge,
                      .is_cubic = filter.is_cubic,
                      .inverse_scale = 1 / filter.scale};
  // Written so that NaN is outside and counts as the first edge.
  const double p = position > -0.5 ? (position < edge ? position : edge) : -0.5;
  const std::uint32_t part_end = axis.begin + axis.length - 1;
  // The whole numbers between p - radius and p + radius, both beyond reach.
  const double lo = p - filter.radius + 1;
  const double hi = p + filter.radius;
  const auto below_hi = static_cast<std::uint32_t>(hi);
  const std::uint32_t first =
      std::clamp(lo > 0 ? static_cast<std::uint32_t>(lo) : 0, axis.begin, part_end);
  const std::uint32_t last = std::clamp(
      std::min(below_hi == hi ? below_hi - 1 : below_hi, static_cast<std::uint32_t>(axis.last)),
      first, part_end);
  window.first = first - axis.begin;
  window.count = last - first + 1;
  window.offset = first - p;
  double sum = 0;
  for (std::uint32_t tap = 0; tap < window.count; ++tap) sum += window.raw_weight(tap);
  window.inverse_sum = 1 / sum;
  // At least half of a kernel lies in the picture. With less, the part at hand is not what was asked for.
  if (!(sum > 0.25)) window.count = 1;
  if (window.count > FilterWindow::kCoarseTaps) window.fine_bits = fine_bits_of(sum);
  return window;
}

}  // namespace penstock::augment
