#include "tools/convert/pixel_sums.h"

#include <cmath>

namespace penstock::convert {
namespace {

constexpr double kWhite = 255.0;

// One row fits 32 bits: at most 65535 px * 255 * 255 = 4,261,413,375. Longer rows are cut.
constexpr std::uint32_t kMaxRunPx = 65535;

struct RunSums {
  std::uint32_t sum[3] = {};
  std::uint32_t sum_of_squares[3] = {};
};

// The strides are constants in each instance, so that the compiler can vectorise.
template <std::uint32_t kStride, std::uint32_t kChannels>
RunSums sum_run(const std::uint8_t* pixels, std::uint32_t num_px) noexcept {
  RunSums run;
  for (std::uint32_t x = 0; x < num_px; ++x) {
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      const std::uint32_t value = pixels[x * kStride + c];
      run.sum[c] += value;
      run.sum_of_squares[c] += value * value;
    }
  }
  return run;
}

using SumRun = RunSums (*)(const std::uint8_t*, std::uint32_t) noexcept;

SumRun sum_run_for(const ImageView& image) noexcept {
  if (image.channels == 1) return sum_run<1, 1>;
  return image.pixel_stride_bytes == 4 ? sum_run<4, 3> : sum_run<3, 3>;
}

}  // namespace

void PixelSums::add(const ImageView& image) noexcept {
  const SumRun sum_one = sum_run_for(image);
  for (std::uint32_t y = 0; y < image.height_px; ++y) {
    for (std::uint32_t x = 0; x < image.width_px; x += kMaxRunPx) {
      const std::uint32_t length = image.width_px - x < kMaxRunPx ? image.width_px - x : kMaxRunPx;
      const RunSums run = sum_one(image.row(y) + std::size_t{x} * image.pixel_stride_bytes, length);
      for (std::uint32_t c = 0; c < 3; ++c) {
        const std::uint32_t from = image.channels == 1 ? 0 : c;
        sum[c] += run.sum[from];
        sum_of_squares[c] += run.sum_of_squares[from];
      }
    }
  }
  num_px += std::uint64_t{image.width_px} * image.height_px;
}

void PixelSums::add(const PixelSums& other) noexcept {
  num_px += other.num_px;
  for (std::size_t c = 0; c < 3; ++c) {
    sum[c] += other.sum[c];
    sum_of_squares[c] += other.sum_of_squares[c];
  }
}

std::array<double, 3> PixelSums::mean() const noexcept {
  std::array<double, 3> result{};
  if (num_px == 0) return result;
  for (std::size_t c = 0; c < 3; ++c) {
    result[c] = static_cast<double>(sum[c]) / static_cast<double>(num_px) / kWhite;
  }
  return result;
}

std::array<double, 3> PixelSums::standard_deviation() const noexcept {
  std::array<double, 3> result{};
  if (num_px == 0) return result;
  for (std::size_t c = 0; c < 3; ++c) {
    // n * sum(x^2) - sum(x)^2 in integers: nothing cancels, however alike the pixels are.
    __extension__ using Wide = unsigned __int128;
    const Wide scaled = Wide{num_px} * sum_of_squares[c] - Wide{sum[c]} * sum[c];
    result[c] = std::sqrt(static_cast<double>(scaled)) / static_cast<double>(num_px) / kWhite;
  }
  return result;
}

}  // namespace penstock::convert
