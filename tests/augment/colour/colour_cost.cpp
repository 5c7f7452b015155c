// Measures what colours and element types cost beyond the plain float32 pass, for every vector unit
// of this machine, beside a copy of the output, and prints JSON:
//   cmake --build build/dev --target colour_cost && build/dev/colour_cost
// An argument takes the place of the number of rounds; the tests run it with one.
#include <hwy/targets.h>
#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "augment/sample_pass.h"
#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

constexpr SizePx kPicture{470, 400};
constexpr SizePx kOutput{224, 224};
constexpr int kSamplesPerRound = 16;

// Time of this thread alone: machines are shared.
double thread_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

/// What is done to a sample beyond its geometry.
struct Side {
  const char* name;
  std::vector<ColourStep> steps;
  ElementType element = ElementType::kFloat32;
};

const std::vector<Side>& sides() {
  const ColourStep shift{ColourStepKind::kChannelShift, 20};
  const ColourStep brightness{ColourStepKind::kBrightness, 1.2f};
  const ColourStep contrast{ColourStepKind::kContrast, 0.8f};
  const ColourStep saturation{ColourStepKind::kSaturation, 1.3f};
  const ColourStep hue{ColourStepKind::kHue, 0.05f};
  static const std::vector<Side> all = {
      {"plain", {}},
      {"channel shift", {shift}},
      {"brightness", {brightness}},
      {"jitter", {brightness, contrast, saturation}},
      {"jitter with hue", {brightness, contrast, saturation, hue}},
      {"float16", {}, ElementType::kFloat16},
      {"bfloat16", {}, ElementType::kBfloat16},
      {"uint8", {}, ElementType::kUint8},
      {"jitter, float16", {brightness, contrast, saturation}, ElementType::kFloat16},
      {"jitter, uint8", {brightness, contrast, saturation}, ElementType::kUint8}};
  return all;
}

/// A picture, and the places of batches of one kind, filled one after the other.
class Workload {
 public:
  Workload(PixelLayout layout, std::uint32_t batch) : spec_(spec_of(kOutput, 3, layout)) {
    std::mt19937_64 random(2);
    picture_ = noise_picture(kPicture, 3, random);
    spec_.batch = batch;
    memory_.resize(spec_.pixels_bytes() + 64);
    scratch_.resize(most_sample_scratch_bytes(spec_, Interpolation::kBilinear));
    // A window of three quarters of each side, mirrored.
    job_.warp.map =
        sample_map({.is_flipped = true, .crop = {50, 40, 352, 300}}, kOutput, info_of(kPicture));
    job_.warp.decoded = picture_.decoded();
    job_.warp.stored = kPicture;
    job_.warp.channels.fill({.gain = 1 / 58.0f, .bias = -2});
  }

  void fill(const Side& side) {
    spec_.element = side.element;
    job_.colours = {};
    for (const ColourStep& step : side.steps) job_.colours.add(step);
    job_.warp.slot = {&spec_, next_place()};
    fill_slot(job_, scratch_);
  }

  void copy() {
    spec_.element = ElementType::kFloat32;
    image_.resize(spec_.sample_bytes());
    std::memcpy(next_place(), image_.data(), image_.size());
  }

 private:
  std::byte* next_place() {
    void* first = memory_.data();
    std::size_t room = memory_.size();
    std::align(64, 1, first, room);
    place_ = (place_ + 1) % spec_.batch;
    return static_cast<std::byte*>(first) + place_ * spec_.sample_bytes();
  }

  BatchSpec spec_;
  TestPicture picture_;
  SampleJob job_;
  std::uint32_t place_ = 0;
  std::vector<std::byte> memory_;
  std::vector<std::byte> scratch_;
  std::vector<std::byte> image_;
};

struct Timing {
  std::string name;
  std::vector<double> us = {};  // a sample, by round
};

template <class Run>
double mean_us(const Run& run) {
  run();  // not counted: a side pays for no other's leavings in the caches
  const double start_us = thread_us();
  for (int i = 0; i < kSamplesPerRound; ++i) run();
  return (thread_us() - start_us) / kSamplesPerRound;
}

void measure(PixelLayout layout, std::uint32_t batch, int num_rounds) {
  Workload load(layout, batch);
  std::vector<Timing> timings;
  for (int round = 0; round < num_rounds; ++round) {
    std::size_t next = 0;
    const auto take = [&](const std::string& name, double us) {
      if (round == 0) timings.push_back({name});
      timings[next++].us.push_back(us);
    };
    take("memcpy", mean_us([&] { load.copy(); }));
    for (std::int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) {
      const std::int64_t target = left & -left;
      hwy::SetSupportedTargetsForTest(target);
      for (const Side& side : sides()) {
        take(std::string(hwy::TargetName(target)) + " " + side.name,
             mean_us([&] { load.fill(side); }));
      }
      hwy::SetSupportedTargetsForTest(0);
    }
  }
  for (Timing& timing : timings) {
    std::ranges::sort(timing.us);
    std::printf(
        "{\"layout\": \"%s\", \"batch\": %u, \"side\": \"%s\", \"median_us\": %.1f, "
        "\"least_us\": %.1f}\n",
        layout == PixelLayout::kNchw ? "nchw" : "nhwc", batch, timing.name.c_str(),
        timing.us[timing.us.size() / 2], timing.us.front());
  }
}

}  // namespace
}  // namespace penstock::augment

int main(int argc, char** argv) {
  using penstock::PixelLayout;
  int num_rounds = 31;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), num_rounds);
  num_rounds = std::max(num_rounds, 1);
  // A place that stays in the cache; batches of 37 MiB.
  for (const std::uint32_t batch : {1u, 64u}) {
    for (const PixelLayout layout : {PixelLayout::kNchw, PixelLayout::kNhwc}) {
      penstock::augment::measure(layout, batch, num_rounds);
    }
  }
  return 0;
}
