#include "augment/affine_map.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "streamer/core/stored_axes.h"

namespace penstock::augment {

AffineMap compose(const AffineMap& first, const AffineMap& second) noexcept {
  return {.xx = second.xx * first.xx + second.xy * first.yx,
          .xy = second.xx * first.xy + second.xy * first.yy,
          .x0 = second.xx * first.x0 + second.xy * first.y0 + second.x0,
          .yx = second.yx * first.xx + second.yy * first.yx,
          .yy = second.yx * first.xy + second.yy * first.yy,
          .y0 = second.yx * first.x0 + second.yy * first.y0 + second.y0};
}

SingularValues singular_values(const AffineMap& map) noexcept {
  // Without rotation and shear they are the entries themselves. The closed form below would round
  // them, and an exact 2 must stay a 2: it chooses the decode scale.
  if (!map.is_turned()) {
    const double a = std::abs(map.is_separable() ? map.xx : map.xy);
    const double b = std::abs(map.is_separable() ? map.yy : map.yx);
    return {.largest = std::max(a, b), .smallest = std::min(a, b)};
  }
  // A 2 x 2 matrix is a scaled rotation plus a scaled reflection; q and r are their lengths.
  const double q = std::hypot((map.xx + map.yy) / 2, (map.yx - map.xy) / 2);
  const double r = std::hypot((map.xx - map.yy) / 2, (map.yx + map.xy) / 2);
  return {.largest = q + r, .smallest = std::abs(q - r)};
}

AffineMap flip_horizontal_map(SizePx size) noexcept {
  return {.xx = -1, .x0 = static_cast<double>(size.width) - 1};
}

AffineMap flip_vertical_map(SizePx size) noexcept {
  return {.yy = -1, .y0 = static_cast<double>(size.height) - 1};
}

namespace {

/// The same map with its fixed point moved from 0 to the centre (n - 1) / 2.
AffineMap about_centre(AffineMap linear, SizePx size) noexcept {
  const PointPx centre{(static_cast<double>(size.width) - 1) / 2,
                       (static_cast<double>(size.height) - 1) / 2};
  const PointPx moved = linear(centre);
  linear.x0 = centre.x - moved.x;
  linear.y0 = centre.y - moved.y;
  return linear;
}

}  // namespace

AffineMap rotation_map(double angle_rad, SizePx size) noexcept {
  // A quarter turn is one: its cosine in float64 is 6e-17.
  constexpr double kRounding = 1e-15;
  const auto exact = [](double value) { return std::abs(value) < kRounding ? 0.0 : value; };
  const double c = exact(std::cos(angle_rad));
  const double s = exact(std::sin(angle_rad));
  return about_centre({.xx = c, .xy = s, .yx = -s, .yy = c}, size);
}

AffineMap shear_map(double angle_rad, SizePx size) noexcept {
  return about_centre({.xx = std::cos(angle_rad), .yx = -std::sin(angle_rad)}, size);
}

AffineMap shift_map(PointPx offset) noexcept {
  return {.x0 = offset.x, .y0 = offset.y};
}

AffineMap zoom_map(ScaleXy factor, SizePx size) noexcept {
  const PointPx centre{(static_cast<double>(size.width) - 1) / 2,
                       (static_cast<double>(size.height) - 1) / 2};
  return {.xx = factor.x,
          .x0 = centre.x - factor.x * centre.x,
          .yy = factor.y,
          .y0 = centre.y - factor.y * centre.y};
}

AffineMap resize_map(Resize resize) noexcept {
  const double x = static_cast<double>(resize.source.width) / resize.output.width;
  const double y = static_cast<double>(resize.source.height) / resize.output.height;
  return {.xx = x, .x0 = 0.5 * x - 0.5, .yy = y, .y0 = 0.5 * y - 0.5};
}

SizePx upright_size(SizePx stored, std::uint8_t orientation) noexcept {
  if (stored_axes(orientation).are_swapped) std::swap(stored.width, stored.height);
  return stored;
}

AffineMap orientation_map(SizePx stored, std::uint8_t orientation) noexcept {
  const StoredAxes axes = stored_axes(orientation);
  AffineMap map;
  if (axes.is_x_mirrored) {
    map.xx = -1;
    map.x0 = static_cast<double>(stored.width) - 1;
  }
  if (axes.is_y_mirrored) {
    map.yy = -1;
    map.y0 = static_cast<double>(stored.height) - 1;
  }
  if (axes.are_swapped) {
    std::swap(map.xx, map.xy);
    std::swap(map.yx, map.yy);
  }
  return map;
}

AffineMap decode_scale_map(std::uint32_t scale) noexcept {
  const double factor = 1.0 / scale;  // exact: scale is a power of two
  return {.xx = factor, .x0 = 0.5 * factor - 0.5, .yy = factor, .y0 = 0.5 * factor - 0.5};
}

SizePx decoded_size(SizePx full, std::uint32_t scale) noexcept {
  const auto divide = [scale](std::uint32_t side) {
    return static_cast<std::uint32_t>((std::uint64_t{side} + scale - 1) / scale);
  };
  return {divide(full.width), divide(full.height)};
}

}  // namespace penstock::augment
