#include "augment/warp/reference_warp.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "augment/colour/reference_colour.h"

namespace penstock::augment {
namespace {

/// Walks backwards through the policy's operations. Edges of pixels lie at whole numbers.
PointPx undo_policy(PointPx p, const AugmentDraws& drawn, const BatchSpec& spec) {
  PointPx edge{p.x + 0.5, p.y + 0.5};
  const PointPx middle{spec.width_px / 2.0, spec.height_px / 2.0};
  const auto steps = drawn.policy.steps();
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->operation == PolicyOperation::kShearX) edge.x += step->amount * edge.y;
    if (step->operation == PolicyOperation::kShearY) edge.y += step->amount * edge.x;
    if (step->operation == PolicyOperation::kTranslateX) edge.x -= step->amount;
    if (step->operation == PolicyOperation::kTranslateY) edge.y -= step->amount;
    if (step->operation == PolicyOperation::kRotate) {
      const double length = std::hypot(edge.x - middle.x, edge.y - middle.y);
      const double turned_rad =
          std::atan2(edge.y - middle.y, edge.x - middle.x) + step->amount / 180 * std::numbers::pi;
      edge = {middle.x + length * std::cos(turned_rad), middle.y + length * std::sin(turned_rad)};
    }
  }
  return {edge.x - 0.5, edge.y - 0.5};
}

/// Walks backwards through the augmentation, in pixels of the resized picture: the flip came last.
PointPx undo_augmentation(PointPx p, const AugmentDraws& drawn, const BatchSpec& spec) {
  if (drawn.is_flipped) p.x = (spec.width_px - 1.0) - p.x;
  if (drawn.is_flipped_vertically) p.y = (spec.height_px - 1.0) - p.y;
  const PointPx centre{(spec.width_px - 1.0) / 2.0, (spec.height_px - 1.0) / 2.0};
  PointPx from_centre{p.x - centre.x, p.y - centre.y};
  from_centre.x *= drawn.zoom.x;
  from_centre.y *= drawn.zoom.y;
  from_centre = {std::cos(drawn.shear_rad) * from_centre.x,
                 from_centre.y - std::sin(drawn.shear_rad) * from_centre.x};
  from_centre.x += drawn.shift_px.x;
  from_centre.y += drawn.shift_px.y;
  if (drawn.rotation_rad == 0) return {centre.x + from_centre.x, centre.y + from_centre.y};
  const double length = std::hypot(from_centre.x, from_centre.y);
  const double angle = std::atan2(from_centre.y, from_centre.x) - drawn.rotation_rad;
  return {centre.x + length * std::cos(angle), centre.y + length * std::sin(angle)};
}

/// Walks from the resized picture to the upright one: pixel edges, then a ratio, then centres. Edges
/// are counted from those of the window that was cropped.
PointPx undo_resize(PointPx p, const ReferenceSample& s) {
  const bool is_turned = s.info.orientation >= 5 && s.info.orientation <= 8;
  const double upright_width = is_turned ? s.info.height_px : s.info.width_px;
  const double upright_height = is_turned ? s.info.width_px : s.info.height_px;
  const RectPx& crop = s.drawn.crop;
  const double left = crop.width > 0 ? crop.x : 0.0;
  const double top = crop.width > 0 ? crop.y : 0.0;
  const double right = crop.width > 0 ? left + crop.width : upright_width;
  const double bottom = crop.width > 0 ? top + crop.height : upright_height;
  return {left + (p.x + 0.5) / s.spec.width_px * (right - left) - 0.5,
          top + (p.y + 0.5) / s.spec.height_px * (bottom - top) - 0.5};
}

/// Walks from the upright picture to the stored one: turns and mirrors as EXIF names them.
PointPx undo_orientation(PointPx p, const SampleInfo& info) {
  const double right = info.width_px - 1.0;
  const double bottom = info.height_px - 1.0;
  switch (info.orientation) {
    case 2:
      return {right - p.x, p.y};
    case 3:
      return {right - p.x, bottom - p.y};
    case 4:
      return {p.x, bottom - p.y};
    case 5:
      return {p.y, p.x};
    case 6:
      return {p.y, bottom - p.x};
    case 7:
      return {right - p.y, bottom - p.x};
    case 8:
      return {right - p.y, p.x};
    default:
      return p;
  }
}

/// Moves a position beside a picture of `n` pixels to where it is seen again, step by step.
double walk_back(double p, double n, FillMode mode) {
  while (mode == FillMode::kWrap && p < -0.5) p += n;
  while (mode == FillMode::kWrap && p >= n - 0.5) p -= n;
  while (mode == FillMode::kReflect && (p < -0.5 || p > n - 0.5)) {
    p = p < -0.5 ? -1 - p : 2 * n - 1 - p;
  }
  return p;
}

struct Pair {
  double first = 0;
  double second = 0;
  double weight = 0;  // of the second
};

/// The two pixels of an axis of `num_px` that a position lies between.
Pair pair_at(double p, double num_px, FillMode mode) {
  const double last = num_px - 1;
  if (mode == FillMode::kWrap && p < 0) return {last, 0, p + 1};
  if (mode == FillMode::kWrap && p > last) return {last, 0, p - last};
  const double inside = std::clamp(p, 0.0, last);
  const double first = std::floor(inside);
  return {first, std::min(first + 1, last), inside - first};
}

/// One pixel of the decoded picture.
double pixel_at(const ReferenceSample& s, double column, double row, std::uint32_t channel) {
  return s.image.row(static_cast<std::uint32_t>(
      row))[static_cast<std::size_t>(column) * s.image.pixel_stride_bytes +
            std::min(channel, s.image.channels - 1)];
}

double blended(const Pair& x, const Pair& y, const auto& pixel) {
  return (1 - x.weight) * (1 - y.weight) * pixel(x.first, y.first) +
         x.weight * (1 - y.weight) * pixel(x.second, y.first) +
         (1 - x.weight) * y.weight * pixel(x.first, y.second) +
         x.weight * y.weight * pixel(x.second, y.second);
}

bool is_erased(const RectPx& window, std::uint32_t x, std::uint32_t y) {
  return x >= window.x && x < window.x + window.width && y >= window.y &&
         y < window.y + window.height;
}

/// Keys' cubic with a = -0.5, and the triangle, at a distance from the position.
double cubic(double t) {
  t = std::abs(t);
  if (t <= 1) return 1 - 2.5 * t * t + 1.5 * t * t * t;
  return t <= 2 ? 2 - 4 * t + 2.5 * t * t - 0.5 * t * t * t : 0;
}
double triangle(double t) {
  return std::max(0.0, 1 - std::abs(t));
}

/// The mean of all pixels around a position of the decoded picture, weighed with a kernel whose unit is
/// `unit` pixels long; what the kernel has beyond the picture does not count.
double weighed(const ReferenceSample& s, PointPx p, ScaleXy unit, double (*kernel)(double),
               std::uint32_t channel) {
  double sum = 0;
  double sum_of_weights = 0;
  for (double row = std::max(0.0, std::floor(p.y - 2 * unit.y));
       row < s.image.height_px && row <= p.y + 2 * unit.y; ++row) {
    const double row_weight = kernel((row - p.y) / unit.y);
    if (row_weight == 0) continue;
    for (double column = std::max(0.0, std::floor(p.x - 2 * unit.x));
         column < s.image.width_px && column <= p.x + 2 * unit.x; ++column) {
      const double weight = row_weight * kernel((column - p.x) / unit.x);
      sum += weight * pixel_at(s, column, row, channel);
      sum_of_weights += weight;
    }
  }
  return std::clamp(sum / sum_of_weights, 0.0, 255.0);
}

/// From a full-resolution position to one of the decoded picture.
double decoded_px(double p, const ReferenceSample& s) {
  return (p + 0.5) / s.decode_scale - 0.5;
}

/// Rounds to bytes: halves up, and what is less than a 128th below one.
constexpr double kHalf = 0.5 + 1.0 / 128;

/// Blends four pixels of the picture as it is after a reduction by `unit`, rounded to bytes.
double reduced_sample(const ReferenceSample& s, PointPx p, ScaleXy unit, std::uint32_t channel) {
  const auto axis = [&](double position, double stored_px, double length) {
    // Less what rounding may have added to a whole number.
    const double num_px = std::max(1.0, std::ceil(stored_px / s.decode_scale / length - 1e-6));
    return pair_at((position + 0.5) / length - 0.5, num_px, s.config.fill_mode);
  };
  return blended(axis(p.x, s.info.width_px, unit.x), axis(p.y, s.info.height_px, unit.y),
                 [&](double u, double v) {
                   const PointPx centre{unit.x * (u + 0.5) - 0.5, unit.y * (v + 0.5) - 0.5};
                   const double right = s.info.width_px / double(s.decode_scale) - 0.5;
                   const double bottom = s.info.height_px / double(s.decode_scale) - 0.5;
                   return std::floor(
                       kHalf + weighed(s, {std::min(centre.x, right), std::min(centre.y, bottom)},
                                       unit, triangle, channel));
                 });
}

/// From an output pixel to the stored picture at full resolution.
PointPx walk(PointPx p, const ReferenceSample& s) {
  if (!s.drawn.policy.steps().empty()) p = undo_policy(p, s.drawn, s.spec);
  p = undo_augmentation(p, s.drawn, s.spec);
  p = undo_resize(p, s);
  return undo_orientation(p, s.info);
}

/// How the picture lies in the output.
struct Lie {
  /// Decoded pixels from one output pixel to the next, along both output axes together; at least 1.
  ScaleXy unit{};
  /// Whether its rows are neither rows of the output nor columns.
  bool is_turned = false;
};

Lie lie_of(const ReferenceSample& s) {
  const PointPx origin = walk({0, 0}, s);
  const PointPx right = walk({1, 0}, s);
  const PointPx below = walk({0, 1}, s);
  const bool is_upright = right.y == origin.y && below.x == origin.x;
  const bool is_on_its_side = right.x == origin.x && below.y == origin.y;
  const auto length = [&](double a, double b) {
    return std::max(1.0, std::hypot(a, b) / s.decode_scale);
  };
  return {.unit = {.x = length(right.x - origin.x, below.x - origin.x),
                   .y = length(right.y - origin.y, below.y - origin.y)},
          .is_turned = !is_upright && !is_on_its_side};
}

/// Samples one channel of the decoded picture at `p`, a position at full resolution.
double sample(const ReferenceSample& s, PointPx p, const Lie& lie, std::uint32_t channel) {
  const bool is_outside =
      p.x < -0.5 || p.x > s.info.width_px - 0.5 || p.y < -0.5 || p.y > s.info.height_px - 0.5;
  if (s.config.fill_mode == FillMode::kConstant && is_outside) return s.config.cval;
  const FillMode mode = s.config.fill_mode;
  p = {walk_back(p.x, s.info.width_px, mode), walk_back(p.y, s.info.height_px, mode)};
  const ScaleXy unit = lie.unit;
  const PointPx decoded{decoded_px(p.x, s), decoded_px(p.y, s)};
  const PointPx inside{decoded_px(std::clamp(p.x, -0.5, s.info.width_px - 0.5), s),
                       decoded_px(std::clamp(p.y, -0.5, s.info.height_px - 0.5), s)};
  switch (s.config.interpolation) {
    case Interpolation::kNearest:
      return pixel_at(s, std::floor(std::clamp(decoded.x, 0.0, s.image.width_px - 1.0) + 0.5),
                      std::floor(std::clamp(decoded.y, 0.0, s.image.height_px - 1.0) + 0.5),
                      channel);
    case Interpolation::kBilinearAntialias:
      if (!lie.is_turned) return weighed(s, inside, unit, triangle, channel);
      if (unit.x > 1 || unit.y > 1) return reduced_sample(s, decoded, unit, channel);
      break;
    case Interpolation::kBicubic:
      return weighed(s, inside, {1, 1}, cubic, channel);
    case Interpolation::kBilinear:
      break;
  }
  return blended(pair_at(decoded.x, s.image.width_px, mode),
                 pair_at(decoded.y, s.image.height_px, mode),
                 [&](double column, double row) { return pixel_at(s, column, row, channel); });
}

/// Normalises, erases and lays out.
std::vector<double> finished(const ReferenceSample& s, const std::vector<double>& pixels_hwc) {
  const BatchSpec& spec = s.spec;
  std::vector<double> out(pixels_hwc.size());
  std::size_t i = 0;
  for (std::uint32_t y = 0; y < spec.height_px; ++y) {
    for (std::uint32_t x = 0; x < spec.width_px; ++x) {
      for (std::uint32_t c = 0; c < spec.channels; ++c, ++i) {
        double value = pixels_hwc[i];
        if (spec.element != ElementType::kUint8) {
          value = (value * s.config.rescale - s.config.mean[c]) / s.config.std[c];
        }
        if (is_erased(s.drawn.erased, x, y)) value = s.config.random_erasing_value;
        const std::size_t idx = spec.layout == PixelLayout::kNchw
                                    ? (std::size_t{c} * spec.height_px + y) * spec.width_px + x
                                    : i;
        out[idx] = value;
      }
    }
  }
  return out;
}

}  // namespace

std::vector<double> reference_warp(const ReferenceSample& s) {
  const BatchSpec& spec = s.spec;
  const Lie lie = lie_of(s);
  std::vector<double> pixels(std::size_t{spec.height_px} * spec.width_px * spec.channels);
  for (std::uint32_t y = 0; y < spec.height_px; ++y) {
    for (std::uint32_t x = 0; x < spec.width_px; ++x) {
      const PointPx p = walk({static_cast<double>(x), static_cast<double>(y)}, s);
      for (std::uint32_t c = 0; c < spec.channels; ++c) {
        pixels[(std::size_t{y} * spec.width_px + x) * spec.channels + c] = sample(s, p, lie, c);
      }
    }
  }
  reference_colour(colour_steps_of(s.drawn).steps(), {spec.channels, spec.height_px, spec.width_px},
                   pixels);
  return finished(s, pixels);
}

}  // namespace penstock::augment
