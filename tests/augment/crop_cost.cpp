// Measures what a sample of 224 x 224 x 3 costs a core, from a decoded picture of 400 x 350 with the preset imagenet:
// finished in float32 and in uint8, and as a crop for a device. Prints JSON, the lowest of the rounds:
//   cmake --build build/dev --target crop_cost && build/dev/crop_cost
// An argument takes the place of the number of rounds; the tests run it with one.
#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <vector>

#include "augment/affine_map.h"
#include "augment/crop_transform.h"

namespace penstock::augment {
namespace {

// Time of this thread alone: machines are shared.
double thread_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

constexpr SizePx kPicture{400, 350};
constexpr SampleInfo kInfo{
    .width_px = kPicture.width, .height_px = kPicture.height, .max_decode_scale = 1};

double sample_us(const SampleTransform& transform, const BatchSpec& spec, int num_rounds) {
  std::vector<std::uint8_t> pixels(std::size_t{kPicture.width} * kPicture.height * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 7);
  const DecodedView decoded{
      .image = {pixels.data(), kPicture.width, kPicture.height, 3, 3, kPicture.width * 3},
      .region = {0, 0, kPicture.width, kPicture.height},
      .decode_scale = 1};
  std::vector<std::byte> scratch(transform.worst_case_scratch_bytes(spec));
  std::vector<std::byte> batch(spec.pixels_bytes());
  double lowest = 1e30;
  for (int round = 0; round <= num_rounds; ++round) {  // memory comes with the first
    const double start = thread_us();
    for (std::uint32_t i = 0; i < spec.batch; ++i) {
      const SamplePlan plan = transform.plan(kInfo, spec, Draws({.position = i}));
      transform.apply(decoded, plan, scratch, {&spec, batch.data() + i * spec.sample_bytes()});
    }
    if (round > 0) lowest = std::min(lowest, thread_us() - start);
  }
  return lowest / spec.batch;
}

}  // namespace
}  // namespace penstock::augment

int main(int argc, char** argv) {
  using namespace penstock;
  int num_rounds = 20;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), num_rounds);
  num_rounds = std::max(num_rounds, 1);
  const augment::AugmentConfig config = augment::AugmentConfig::preset("imagenet");
  const augment::AugmentTransform finished(config);
  const augment::CropTransform crops(config);
  const BatchSpec floats{.batch = 64};
  BatchSpec bytes = floats;
  bytes.element = ElementType::kUint8;
  BatchSpec of_crops = floats;
  of_crops.crop_bytes = crops.crop_bytes(augment::kInfo, floats);
  std::printf("{\"crop_bytes\": %u, \"float32_us\": %.1f, \"uint8_us\": %.1f, \"crop_us\": %.1f}\n",
              of_crops.crop_bytes, augment::sample_us(finished, floats, num_rounds),
              augment::sample_us(finished, bytes, num_rounds),
              augment::sample_us(crops, of_crops, num_rounds));
}
