// What every way through the pixels starts from: the axes of the picture at hand, the place and the
// strides of the output, and the few float operations of which each value is made.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "augment/warp/warp_kernel.h"

namespace penstock::augment {

/// One axis of the picture at decode scale, of which the image at hand holds a part.
struct Axis {
  double last = 0;    // the last pixel's centre
  double extent = 0;  // the full picture's length in decoded pixels: 10.125 where 11 are stored
  std::uint32_t begin = 0;   // first pixel of the part
  std::uint32_t length = 1;  // pixels of the part
  FillMode fill_mode = FillMode::kNearest;
  bool snaps = false;  // positions to the nearest pixel, for Interpolation::kNearest
};

/// Whether the picture is seen again beside itself.
inline bool comes_again(FillMode mode) noexcept {
  return mode == FillMode::kReflect || mode == FillMode::kWrap;
}

/// Two neighbours on an axis, counted from the part's first pixel, and the share of the second.
struct Neighbours {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  float weight = 0;
  bool is_inside = false;
};

inline std::uint32_t index_in_part(std::uint32_t pixel, const Axis& axis) noexcept {
  return pixel < axis.begin ? 0 : std::min(pixel - axis.begin, axis.length - 1);
}

/// The remainder of x divided by `period`, from 0 on. NaN and infinity give NaN.
inline double remainder_of(double x, double period) noexcept {
  return x - period * std::floor(x / period);
}

/// Where on the picture a position is seen that may lie beside it. Of FillMode::kWrap, from -0.5 on.
inline double folded(double position, const Axis& axis) noexcept {
  if (axis.fill_mode == FillMode::kReflect) {
    const double t = remainder_of(position + 0.5, 2 * axis.extent);
    return (t > axis.extent ? 2 * axis.extent - t : t) - 0.5;
  }
  if (axis.fill_mode == FillMode::kWrap) return remainder_of(position + 0.5, axis.extent) - 0.5;
  return position;
}

/// Between the last pixel and the first, which FillMode::kWrap puts side by side.
inline Neighbours neighbours_at_seam(double position, const Axis& axis) noexcept {
  const double weight = position < 0 ? position + 1 : position - axis.last;
  return {.first = index_in_part(static_cast<std::uint32_t>(axis.last), axis),
          .second = index_in_part(0, axis),
          .weight = static_cast<float>(std::clamp(weight, 0.0, 1.0)),
          .is_inside = true};
}

inline Neighbours find_neighbours(double position, const Axis& axis) noexcept {
  if (comes_again(axis.fill_mode)) {
    position = folded(position, axis);
    if (axis.fill_mode == FillMode::kWrap && !axis.snaps &&
        (position < 0 || position > axis.last)) {
      return neighbours_at_seam(position, axis);
    }
  }
  // Written so that NaN is outside and counts as 0.
  double clamped = position > 0 ? (position < axis.last ? position : axis.last) : 0.0;
  if (axis.snaps) clamped = std::floor(clamped + 0.5);
  const auto pixel = static_cast<std::uint32_t>(clamped);
  return {.first = index_in_part(pixel, axis),
          .second = index_in_part(pixel + 1, axis),  // beyond the edge: weight 0
          .weight = static_cast<float>(clamped - pixel),
          .is_inside = position >= -0.5 && position <= axis.extent - 0.5};
}

inline float blend(float a, float b, float weight) noexcept {
  return a + weight * (b - a);
}

inline float normalise(float value, const ChannelScale& scale) noexcept {
  return value * scale.gain + scale.bias;
}

/// The job's numbers in the form in which the loops use them.
struct Frame {
  explicit Frame(const WarpJob& job) noexcept
      : width(job.slot.spec->width_px),
        height(job.slot.spec->height_px),
        fills_constant(job.fill_mode == FillMode::kConstant),
        pixels(job.slot.pixels),
        plane(job.slot.spec->layout == PixelLayout::kNchw ? std::size_t{width} * height : 1),
        step(job.slot.spec->layout == PixelLayout::kNchw ? 1 : job.slot.spec->channels),
        source_channel(job.decoded.image.channels >= job.slot.spec->channels ? 1 : 0) {
    const DecodedView& decoded = job.decoded;
    const SizePx whole = decoded_size(job.stored, decoded.decode_scale);
    const double scale = decoded.decode_scale;
    x = {.last = static_cast<double>(whole.width) - 1,
         .extent = job.stored.width / scale,
         .begin = decoded.region.x,
         .length = decoded.image.width_px,
         .fill_mode = job.fill_mode,
         .snaps = job.interpolation == Interpolation::kNearest};
    y = {.last = static_cast<double>(whole.height) - 1,
         .extent = job.stored.height / scale,
         .begin = decoded.region.y,
         .length = decoded.image.height_px,
         .fill_mode = job.fill_mode,
         .snaps = job.interpolation == Interpolation::kNearest};
  }

  bool shows(const Neighbours& on_axis) const noexcept {
    return on_axis.is_inside || !fills_constant;
  }
  /// An output row, of elements as they are stored.
  template <class T = float>
  T* row(std::uint32_t y_px) const noexcept {
    return reinterpret_cast<T*>(pixels) + std::size_t{y_px} * width * step;
  }

  std::uint32_t width;   // of the output
  std::uint32_t height;  // of the output
  bool fills_constant;
  std::byte* pixels;
  std::size_t plane;           // from one output channel to the next
  std::size_t step;            // from one output pixel to the next
  std::size_t source_channel;  // from one channel of the image to the next; 0 repeats gray
  Axis x;
  Axis y;
};

/// Channels of the output and of the picture, 1 of the latter serving for all, and whether channels of
/// the output are interleaved.
template <std::uint32_t kOutput, std::uint32_t kSource, bool kInterleaved>
struct PixelShape {
  static constexpr std::uint32_t kChannels = kOutput;
  static constexpr std::uint32_t kPlanes = kSource;
  static constexpr bool kIsInterleaved = kInterleaved;
};

/// Calls sample() with the PixelShape of the job.
template <class Sample>
void for_shape(const WarpJob& job, const Frame& frame, const Sample& sample) {
  const bool is_gray = frame.source_channel == 0;
  const bool is_interleaved = job.slot.spec->layout == PixelLayout::kNhwc;
  if (job.slot.spec->channels == 1) return sample(PixelShape<1, 1, false>{});
  if (is_interleaved && is_gray) return sample(PixelShape<3, 1, true>{});
  if (is_interleaved) return sample(PixelShape<3, 3, true>{});
  if (is_gray) return sample(PixelShape<3, 1, false>{});
  sample(PixelShape<3, 3, false>{});
}

template <std::uint32_t kChannels>
void fill_pixel(const WarpJob& job, const Frame& frame, float* out) noexcept {
  for (std::uint32_t c = 0; c < kChannels; ++c) out[c * frame.plane] = job.channels[c].fill;
}

}  // namespace penstock::augment
