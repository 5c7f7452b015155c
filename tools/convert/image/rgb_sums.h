// Sums over a row of RGB pixels, in vectors of the widest unit of this machine. Sums of integers: any
// unit gives the same.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace penstock::convert {

/// Longest row that is summed at once: its squares fit 32 bits in every lane.
inline constexpr std::size_t kMaxRgbRunPx = 65535;

struct RgbSums {
  std::array<std::uint64_t, 3> sum{};
  std::array<std::uint64_t, 3> sum_of_squares{};
  std::uint64_t sum_of_gray = 0;  // of the luma, ITU-R BT.601 in 16-bit fixed point, as libjpeg
  std::uint64_t sum_of_gray_squares = 0;

  friend bool operator==(const RgbSums&, const RgbSums&) = default;
};

/// Sums `num_px` pixels of three bytes, at most kMaxRgbRunPx.
RgbSums sum_rgb(const std::uint8_t* rgb, std::size_t num_px) noexcept;

/// The same, pixel by pixel: its slow twin, and what is left over of a row.
RgbSums sum_rgb_scalar(const std::uint8_t* rgb, std::size_t num_px) noexcept;

}  // namespace penstock::convert
