// Mean and standard deviation of very many pixels: sums of integers, so that the result does not
// depend on who added which picture when.
#pragma once

#include <array>
#include <cstdint>

#include "streamer/core/image_view.h"

namespace penstock::convert {

/// Sums over pixels of red, green and blue, 0 to 255. 64 bits hold 2.8e14 pixels.
struct PixelSums {
  std::uint64_t num_px = 0;
  std::array<std::uint64_t, 3> sum{};
  std::array<std::uint64_t, 3> sum_of_squares{};
  /// Of the pixels as gray: the luma that a decoder makes of them (streamer/read/pixel_copy.cpp).
  std::uint64_t sum_of_gray = 0;
  std::uint64_t sum_of_gray_squares = 0;

  /// Adds a picture with 3 channels, or with 1 as if it had three equal ones.
  void add(const ImageView& image) noexcept;
  void add(const PixelSums& other) noexcept;

  /// Per channel, of pixels divided by 255; the population's standard deviation. 0 without pixels.
  std::array<double, 3> mean() const noexcept;
  std::array<double, 3> standard_deviation() const noexcept;
  double gray_mean() const noexcept;
  double gray_standard_deviation() const noexcept;

  void add_packed(const ImageView& image) noexcept;
  void add_rgb(const std::uint8_t* rgb, std::uint32_t length_px) noexcept;

  friend bool operator==(const PixelSums&, const PixelSums&) = default;
};

}  // namespace penstock::convert
