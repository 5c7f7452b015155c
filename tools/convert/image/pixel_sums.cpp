#include "tools/convert/image/pixel_sums.h"

#include <algorithm>
#include <cmath>

#include "tools/convert/image/rgb_sums.h"

namespace penstock::convert {
namespace {

constexpr double kWhite = 255.0;

// One row fits 32 bits: at most 65535 px * 255 * 255 = 4,261,413,375. Longer rows are cut.
constexpr std::uint32_t kMaxRunPx = 65535;

struct RunSums {
  std::uint32_t sum[3] = {};
  std::uint32_t sum_of_squares[3] = {};
  std::uint32_t sum_of_gray = 0;
  std::uint32_t sum_of_gray_squares = 0;
};

// ITU-R BT.601 in 16-bit fixed point, as libjpeg; the weights sum to 65536.
std::uint32_t luma(const std::uint8_t* rgb) noexcept {
  return (19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16;
}

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
    const std::uint8_t* pixel = pixels + std::size_t{x} * kStride;
    const std::uint32_t gray = kChannels == 1 ? *pixel : luma(pixel);
    run.sum_of_gray += gray;
    run.sum_of_gray_squares += gray * gray;
  }
  return run;
}

using SumRun = RunSums (*)(const std::uint8_t*, std::uint32_t) noexcept;

SumRun sum_run_for(const ImageView& image) noexcept {
  if (image.channels == 1) return sum_run<1, 1>;
  return sum_run<4, 3>;
}

double mean_of(std::uint64_t sum, std::uint64_t num_px) noexcept {
  return num_px == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(num_px) / kWhite;
}

double deviation_of(std::uint64_t sum, std::uint64_t sum_of_squares,
                    std::uint64_t num_px) noexcept {
  if (num_px == 0) return 0;
  // n * sum(x^2) - sum(x)^2 in integers: nothing cancels, however alike the pixels are.
  __extension__ using Wide = unsigned __int128;
  const Wide scaled = Wide{num_px} * sum_of_squares - Wide{sum} * sum;
  return std::sqrt(static_cast<double>(scaled)) / static_cast<double>(num_px) / kWhite;
}

}  // namespace

void PixelSums::add(const ImageView& image) noexcept {
  if (image.channels == 3 && image.pixel_stride_bytes == 3) return add_packed(image);
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
      sum_of_gray += run.sum_of_gray;
      sum_of_gray_squares += run.sum_of_gray_squares;
    }
  }
  num_px += std::uint64_t{image.width_px} * image.height_px;
}

void PixelSums::add_packed(const ImageView& image) noexcept {
  num_px += std::uint64_t{image.width_px} * image.height_px;
  // Rows without gaps between them are one long row.
  const bool is_gapless = image.row_stride_bytes == std::size_t{image.width_px} * 3;
  const std::uint64_t length_px =
      is_gapless ? std::uint64_t{image.width_px} * image.height_px : image.width_px;
  const std::uint32_t num_runs = is_gapless ? 1 : image.height_px;
  for (std::uint32_t y = 0; y < num_runs; ++y) {
    for (std::uint64_t x = 0; x < length_px; x += kMaxRunPx) {
      add_rgb(image.row(y) + x * 3,
              static_cast<std::uint32_t>(std::min<std::uint64_t>(length_px - x, kMaxRunPx)));
    }
  }
}

void PixelSums::add_rgb(const std::uint8_t* rgb, std::uint32_t length_px) noexcept {
  const RgbSums run = sum_rgb(rgb, length_px);
  for (std::size_t c = 0; c < 3; ++c) {
    sum[c] += run.sum[c];
    sum_of_squares[c] += run.sum_of_squares[c];
  }
  sum_of_gray += run.sum_of_gray;
  sum_of_gray_squares += run.sum_of_gray_squares;
}

void PixelSums::add(const PixelSums& other) noexcept {
  num_px += other.num_px;
  for (std::size_t c = 0; c < 3; ++c) {
    sum[c] += other.sum[c];
    sum_of_squares[c] += other.sum_of_squares[c];
  }
  sum_of_gray += other.sum_of_gray;
  sum_of_gray_squares += other.sum_of_gray_squares;
}

std::array<double, 3> PixelSums::mean() const noexcept {
  std::array<double, 3> result{};
  for (std::size_t c = 0; c < 3; ++c) result[c] = mean_of(sum[c], num_px);
  return result;
}

std::array<double, 3> PixelSums::standard_deviation() const noexcept {
  std::array<double, 3> result{};
  for (std::size_t c = 0; c < 3; ++c) {
    result[c] = deviation_of(sum[c], sum_of_squares[c], num_px);
  }
  return result;
}

double PixelSums::gray_mean() const noexcept {
  return mean_of(sum_of_gray, num_px);
}

double PixelSums::gray_standard_deviation() const noexcept {
  return deviation_of(sum_of_gray, sum_of_gray_squares, num_px);
}

}  // namespace penstock::convert
