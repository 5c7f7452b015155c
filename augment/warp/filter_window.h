// Which source pixels of one axis make a value, and with what weights, where filters are wider than a
// blend of two neighbours: the triangle of an antialiased bilinear sample and the cubic.
// Knows no pixels.
#pragma once

#include <cmath>
#include <cstdint>

#include "augment/warp/warp_frame.h"

namespace penstock::augment {

/// An axis of the picture with the filter that is laid over it.
struct FilterAxis {
  FilterAxis(const Axis& source, Interpolation interpolation, double step_px) noexcept;

  Axis axis;
  double scale = 1;   // source pixels to one unit of the kernel, at least 1
  double radius = 1;  // of the kernel, in source pixels
  bool is_cubic = false;
};

/// Keys' cubic with a = -0.5 (IEEE Trans. ASSP 29(6), 1981, equation 15), and the triangle.
inline double kernel_value(double distance, bool is_cubic) noexcept {
  const double x = std::abs(distance);
  if (!is_cubic) return x < 1 ? 1 - x : 0;
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/// The taps of one position: neighbours in the part of the picture at hand. What of the kernel lies
/// beyond the picture is cut off, and the rest is divided by its sum, as Pillow and TensorFlow do.
struct FilterWindow {
  /// Weights of rows are whole multiples of 1 / kOne, so that sums of bytes are exact.
  static constexpr std::int32_t kOne = 1 << 14;
  /// Windows of more taps have finer ones, as far as 16 bits hold a weight and 32 bits a sum: what
  /// rounding is off grows with the taps.
  static constexpr std::uint32_t kCoarseTaps = 6;
  static constexpr std::uint32_t kMaxFineBits = 9;

  std::uint32_t first = 0;  // counted from the part's first pixel
  std::uint32_t count = 1;
  bool is_inside = false;
  bool is_cubic = false;
  double offset = 0;  // of the first tap from the position, in source pixels
  double inverse_scale = 1;
  double inverse_sum = 1;
  std::uint32_t fine_bits = 0;  // weights of rows are multiples of 1 / (kOne << fine_bits)

  double raw_weight(std::uint32_t tap) const noexcept {
    return kernel_value((offset + tap) * inverse_scale, is_cubic);
  }
  /// The weight of a column, for the sums of a row's whole weights.
  float column_weight(std::uint32_t tap) const noexcept {
    return count == 1 ? 1.0f / kOne : static_cast<float>(raw_weight(tap) * inverse_sum) / kOne;
  }
  /// What the weights of rows add up to.
  std::int32_t row_one() const noexcept { return kOne << fine_bits; }
  /// Brings sums of rows down to weights that add up to kOne: a power of two, so nothing is rounded.
  float row_scale() const noexcept { return 1.0f / static_cast<float>(1u << fine_bits); }
};

FilterWindow find_window(double position, const FilterAxis& filter) noexcept;

/// The weights of rows in their order. They are differences of rounded partial sums, so they add up to
/// row_one() exactly: what is flat stays flat.
class RowWeights {
 public:
  explicit RowWeights(const FilterWindow& window) noexcept
      : window_(window), one_(window.row_one()) {}

  std::int32_t next() noexcept {
    partial_sum_ += window_.raw_weight(tap_++);
    const bool is_last = tap_ == window_.count;
    const std::int32_t rounded = is_last ? one_ : whole(partial_sum_ * window_.inverse_sum);
    const std::int32_t weight = rounded - given_;
    given_ = rounded;
    return weight;
  }

 private:
  /// Rounded; moved up before it is cut off, since a cubic's first weights are below 0.
  std::int32_t whole(double weight) const noexcept {
    return static_cast<std::int32_t>(weight * one_ + (one_ + 0.5)) - one_;
  }

  const FilterWindow& window_;
  const std::int32_t one_;
  std::uint32_t tap_ = 0;
  double partial_sum_ = 0;
  std::int32_t given_ = 0;
};

}  // namespace penstock::augment
