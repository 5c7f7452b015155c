// Measures the colour operations that work on bytes for every vector unit of this machine, on a
// canvas of 224 x 224 in three channels, beside a copy of it, and prints JSON:
//   cmake --build build/dev --target tone_cost && build/dev/tone_cost
// An argument takes the place of the number of rounds; the tests run it with a few.
#include <hwy/targets.h>
#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "augment/colour/tone_steps.h"

namespace penstock::augment {
namespace {

constexpr std::uint32_t kSidePx = 224;
constexpr std::size_t kNumFloats = std::size_t{3} * kSidePx * kSidePx;

struct Step {
  std::string_view name;
  ColourStep step;
};
constexpr Step kSteps[] = {{"posterize", {ColourStepKind::kPosterize, 4}},
                           {"solarize", {ColourStepKind::kSolarize, 128}},
                           {"autocontrast", {ColourStepKind::kAutoContrast, 0}},
                           {"equalize", {ColourStepKind::kEqualize, 0}},
                           {"sharpness", {ColourStepKind::kSharpness, 1.5f}}};

struct Free {
  void operator()(float* block) const { std::free(block); }
};
using Floats = std::unique_ptr<float, Free>;

Floats floats_of(std::size_t count) {
  return Floats(static_cast<float*>(std::aligned_alloc(64, count * sizeof(float))));
}

// Time of this thread alone: machines are shared.
double thread_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

/// Smooth with a little noise, as photographs are: neighbours are often equal.
Floats make_picture() {
  Floats picture = floats_of(kNumFloats);
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < kNumFloats; ++i) {
    const std::size_t column = i % kSidePx;
    const std::size_t row = i / kSidePx % kSidePx;
    picture.get()[i] = static_cast<float>(20 + column / 2 + row / 3 + random() % 8);
  }
  return picture;
}

/// Median over the rounds, each from the same picture.
template <class Run>
double median_us(int num_rounds, const Floats& picture, float* values, const Run& run) {
  std::vector<double> us;
  for (int round = 0; round < num_rounds; ++round) {
    std::memcpy(values, picture.get(), kNumFloats * sizeof(float));
    const double start_us = thread_us();
    run();
    us.push_back(thread_us() - start_us);
  }
  std::ranges::sort(us);
  return us[us.size() / 2];
}

void measure(int num_rounds) {
  const Floats picture = make_picture();
  const Floats values = floats_of(kNumFloats);
  const std::size_t scratch_bytes = tone_scratch_bytes(kSidePx);
  const Floats block = floats_of(scratch_bytes / sizeof(float));  // aligned, as behind a canvas
  const std::span<std::byte> scratch(reinterpret_cast<std::byte*>(block.get()), scratch_bytes);
  const Canvas canvas{
      .values = values.get(), .channels = 3, .height_px = kSidePx, .width_px = kSidePx};
  const double copy_us = median_us(num_rounds, picture, values.get(), [&] {
    std::memcpy(values.get(), picture.get(), kNumFloats * sizeof(float));
  });
  std::printf("{\"step\": \"memcpy\", \"median_us\": %.1f}\n", copy_us);
  for (const Step& one : kSteps) {
    for (std::int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) {
      const std::int64_t target = left & -left;
      hwy::SetSupportedTargetsForTest(target);
      const double us = median_us(num_rounds, picture, values.get(),
                                  [&] { apply_tone_step(one.step, canvas, scratch); });
      hwy::SetSupportedTargetsForTest(0);
      std::printf("{\"step\": \"%.*s\", \"target\": \"%s\", \"median_us\": %.1f}\n",
                  static_cast<int>(one.name.size()), one.name.data(), hwy::TargetName(target), us);
    }
  }
}

}  // namespace
}  // namespace penstock::augment

int main(int argc, char** argv) {
  int num_rounds = 301;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), num_rounds);
  penstock::augment::measure(std::max(num_rounds, 1));
  return 0;
}
