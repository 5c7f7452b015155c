#include "augment/filter_window.h"

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
  const double part_end = static_cast<double>(axis.begin) + axis.length - 1;
  const auto in_part = [&](double pixel) {
    return std::clamp(pixel, static_cast<double>(axis.begin), part_end);
  };
  const double first = in_part(std::max(std::floor(p - filter.radius) + 1, 0.0));
  const double last =
      std::max(in_part(std::min(std::ceil(p + filter.radius) - 1, axis.last)), first);
  window.first = static_cast<std::uint32_t>(first) - axis.begin;
  window.count = static_cast<std::uint32_t>(last - first) + 1;
  window.offset = first - p;
  window.sum = 0;
  for (std::uint32_t tap = 0; tap < window.count; ++tap) window.sum += window.raw_weight(tap);
  // At least half of a kernel lies in the picture. With less, the part at hand is not what was asked for.
  if (!(window.sum > 0.25)) window.count = 1;
  return window;
}

}  // namespace penstock::augment
