// Measures interpolations of a photograph that is shrunk, for every vector unit of this machine, beside
// OpenCV's INTER_AREA resize with its chain of steps and a copy of the output, and prints JSON:
//   cmake --build build/dev --target filter_cost && build/dev/filter_cost
// An argument takes the place of the number of rounds; the tests run it with one.
#include <hwy/targets.h>
#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <functional>

#include "tests/augment/shrink_workload.h"

namespace penstock::augment {
namespace {

constexpr SizePx kOutput{224, 224};
constexpr std::size_t kNumPictures = 16;

// Time of this thread alone: machines are shared.
double thread_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

struct Side {
  std::string name;
  std::function<void(std::uint32_t place)> run;
  std::vector<double> us = {};  // a picture, by round
};

std::vector<Side> sides_of(ShrinkWorkload& load) {
  std::vector<Side> sides = {
      {"opencv area", [&](std::uint32_t place) { load.opencv(cv::INTER_AREA, place); }},
      {"memcpy", [&](std::uint32_t place) { load.copy(place); }}};
  const auto add = [&](std::int64_t target, Interpolation interpolation, double angle_rad) {
    std::string name = std::string(hwy::TargetName(target)) + " ";
    name += interpolation_name(interpolation);
    if (angle_rad != 0) name += " turned";
    sides.push_back(
        {name, [&load, target, interpolation, map = load.map_of(angle_rad)](std::uint32_t place) {
           hwy::SetSupportedTargetsForTest(target);
           load.fused(map, interpolation, place);
           hwy::SetSupportedTargetsForTest(0);
         }});
  };
  for (std::int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) {
    const std::int64_t target = left & -left;
    for (const Interpolation interpolation :
         {Interpolation::kBilinear, Interpolation::kNearest, Interpolation::kBilinearAntialias,
          Interpolation::kBicubic}) {
      add(target, interpolation, 0);
    }
    add(target, Interpolation::kBilinearAntialias, 0.2);
    add(target, Interpolation::kBicubic, 0.2);
  }
  return sides;
}

double median_of(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// A round takes every side in turn, after one picture that is not counted: a side pays for no other's
/// leavings in the caches.
void measure(SizePx picture, PixelLayout layout, std::uint32_t batch, int num_rounds) {
  ShrinkWorkload load(picture, kOutput, layout, batch);
  std::vector<Side> sides = sides_of(load);
  std::uint32_t place = 0;
  for (int round = 0; round < num_rounds; ++round) {
    for (Side& side : sides) {
      side.run(place);
      const double start_us = thread_us();
      for (std::size_t i = 0; i < kNumPictures; ++i) {
        side.run(place);
        place = (place + 1) % load.batch();
      }
      side.us.push_back((thread_us() - start_us) / kNumPictures);
    }
  }
  const double opencv_us = median_of(sides.front().us);
  for (const Side& side : sides) {
    std::printf(
        "{\"picture\": \"%ux%u\", \"layout\": \"%s\", \"batch\": %u, \"side\": \"%s\", "
        "\"median_us\": %.1f, \"least_us\": %.1f, \"times_opencv\": %.2f}\n",
        picture.width, picture.height, layout == PixelLayout::kNchw ? "nchw" : "nhwc", batch,
        side.name.c_str(), median_of(side.us), std::ranges::min(side.us),
        opencv_us / median_of(side.us));
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
      penstock::augment::measure({448, 448}, layout, batch, num_rounds);
      penstock::augment::measure({470, 400}, layout, batch, num_rounds);
    }
  }
  return 0;
}
