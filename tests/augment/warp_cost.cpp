// Measures the pass over a turned, shifted, zoomed and mirrored picture for every vector unit of this
// machine, beside OpenCV's chain of single steps and a copy of the output, and prints JSON:
//   cmake --build build/dev --target warp_cost && build/dev/warp_cost
// An argument takes the place of the number of rounds; the tests run it with a few.
#include <hwy/targets.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

constexpr SizePx kPicture{470, 400};
constexpr SizePx kOutput{224, 224};
constexpr std::size_t kNumMaps = 16;
constexpr std::array<double, 3> kMean = {123.675, 116.28, 103.53};
constexpr std::array<double, 3> kStd = {58.395, 57.12, 57.375};

// Time of this thread alone: machines are shared.
double thread_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

/// Rotation to 20 degrees, shift and zoom to a tenth, half of them mirrored.
std::vector<AffineMap> random_maps() {
  std::mt19937_64 random(1);
  const auto real = [&](double reach) {
    return std::uniform_real_distribution<double>(-reach, reach)(random);
  };
  std::vector<AffineMap> maps;
  for (std::size_t i = 0; i < kNumMaps; ++i) {
    const AugmentDraws drawn{.is_flipped = i % 2 == 0,
                             .rotation_rad = real(20 * CV_PI / 180),
                             .shift_px = {real(22.4), real(22.4)},
                             .zoom = {1 + real(0.1), 1 + real(0.1)}};
    maps.push_back(sample_map(drawn, kOutput, info_of(kPicture)));
  }
  return maps;
}

/// A picture and the places of one batch, of which a round fills one after the other.
class Workload {
 public:
  explicit Workload(PixelLayout layout, std::uint32_t batch) : spec_(spec_of(kOutput, 3, layout)) {
    std::mt19937_64 random(2);
    picture_ = noise_picture(kPicture, 3, random);
    spec_.batch = batch;
    batch_.resize(spec_.pixels_bytes() / sizeof(float) + 16);
    scratch_.resize(warp_scratch_bytes(spec_));
    for (std::size_t c = 0; c < 3; ++c) {
      scales_[c] = {static_cast<float>(1 / kStd[c]), static_cast<float>(-kMean[c] / kStd[c]), 0};
    }
  }

  std::uint32_t batch() const { return spec_.batch; }

  void fused(const AffineMap& map, FillMode fill_mode, std::uint32_t place) {
    warp({.decoded = picture_.decoded(),
          .map = map,
          .stored = kPicture,
          .fill_mode = fill_mode,
          .channels = scales_,
          .slot = {&spec_, reinterpret_cast<std::byte*>(out(place))}},
         scratch_);
  }

  /// warpAffine, convertTo, subtract, multiply and, for planes, split.
  void opencv(const AffineMap& map, std::uint32_t place) {
    const cv::Mat source(kPicture.height, kPicture.width, CV_8UC3, picture_.bytes.data());
    const cv::Matx23d matrix(map.xx, map.xy, map.x0, map.yx, map.yy, map.y0);
    cv::warpAffine(source, warped_, matrix, cv::Size(kOutput.width, kOutput.height),
                   cv::INTER_LINEAR | cv::WARP_INVERSE_MAP, cv::BORDER_REPLICATE);
    warped_.convertTo(floats_, CV_32F);
    cv::subtract(floats_, cv::Scalar(kMean[0], kMean[1], kMean[2]), floats_);
    float* const to = out(place);
    const int height = kOutput.height;
    const int width = kOutput.width;
    const cv::Scalar gain(1 / kStd[0], 1 / kStd[1], 1 / kStd[2]);
    if (spec_.layout == PixelLayout::kNhwc) {
      cv::multiply(floats_, gain, cv::Mat(height, width, CV_32FC3, to));
      return;
    }
    cv::multiply(floats_, gain, floats_);
    std::vector<cv::Mat> planes;
    for (int c = 0; c < 3; ++c) {
      planes.emplace_back(height, width, CV_32F, to + std::size_t(c) * height * width);
    }
    cv::split(floats_, planes);
  }

  void copy(std::uint32_t place) {
    image_.resize(spec_.sample_bytes());
    std::memcpy(out(place), image_.data(), image_.size());
  }

 private:
  float* out(std::uint32_t place) {
    void* first = batch_.data();
    std::size_t room = batch_.size() * sizeof(float);
    float* const aligned = static_cast<float*>(std::align(64, 64, first, room));
    return aligned + place * (spec_.sample_bytes() / sizeof(float));
  }

  BatchSpec spec_;
  TestPicture picture_;
  std::array<ChannelScale, 3> scales_{};
  std::vector<float> batch_;
  std::vector<std::byte> scratch_;
  std::vector<std::byte> image_;
  cv::Mat warped_;
  cv::Mat floats_;
};

struct Side {
  std::string name;
  std::function<void(std::size_t map_idx, std::uint32_t place)> run;
  std::vector<double> us = {};  // a picture, by round
};

std::vector<Side> sides_of(Workload& load, const std::vector<AffineMap>& maps) {
  std::vector<Side> sides = {
      {"opencv", [&](std::size_t i, std::uint32_t place) { load.opencv(maps[i], place); }},
      {"memcpy", [&](std::size_t, std::uint32_t place) { load.copy(place); }}};
  constexpr std::pair<FillMode, const char*> kModes[] = {{FillMode::kNearest, "nearest"},
                                                         {FillMode::kConstant, "constant"},
                                                         {FillMode::kReflect, "reflect"},
                                                         {FillMode::kWrap, "wrap"}};
  for (const auto& [mode, mode_name] : kModes) {
    for (std::int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) {
      const std::int64_t target = left & -left;
      sides.push_back({std::string(hwy::TargetName(target)) + " " + mode_name,
                       [&load, &maps, mode = mode, target](std::size_t i, std::uint32_t place) {
                         hwy::SetSupportedTargetsForTest(target);
                         load.fused(maps[i], mode, place);
                         hwy::SetSupportedTargetsForTest(0);
                       }});
    }
  }
  return sides;
}

double median_of(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// A round takes every map once on every side, after one that is not counted: a side pays for no
/// other's leavings in the caches.
void measure(PixelLayout layout, std::uint32_t batch, int num_rounds) {
  const std::vector<AffineMap> maps = random_maps();
  Workload load(layout, batch);
  std::vector<Side> sides = sides_of(load, maps);
  std::uint32_t place = 0;
  for (int round = 0; round < num_rounds; ++round) {
    for (Side& side : sides) {
      side.run(0, place);
      const double start_us = thread_us();
      for (std::size_t i = 0; i < kNumMaps; ++i) {
        side.run(i, place);
        place = (place + 1) % load.batch();
      }
      side.us.push_back((thread_us() - start_us) / kNumMaps);
    }
  }
  const double opencv_us = median_of(sides.front().us);
  for (const Side& side : sides) {
    std::printf(
        "{\"layout\": \"%s\", \"batch\": %u, \"side\": \"%s\", \"median_us\": %.1f, "
        "\"least_us\": %.1f, \"times_opencv\": %.2f}\n",
        layout == PixelLayout::kNchw ? "nchw" : "nhwc", batch, side.name.c_str(),
        median_of(side.us), std::ranges::min(side.us), opencv_us / median_of(side.us));
  }
}

}  // namespace
}  // namespace penstock::augment

int main(int argc, char** argv) {
  using penstock::PixelLayout;
  int num_rounds = 31;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), num_rounds);
  num_rounds = std::max(num_rounds, 1);
  cv::setNumThreads(1);
  // A place that stays in the cache; batches of 37 MiB.
  for (const std::uint32_t batch : {1u, 64u}) {
    for (const PixelLayout layout : {PixelLayout::kNchw, PixelLayout::kNhwc}) {
      penstock::augment::measure(layout, batch, num_rounds);
    }
  }
  return 0;
}
