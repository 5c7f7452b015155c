// Measures mixup and cutmix of a batch of 64 x 224 x 224 x 3, for every element type, beside a copy of the
// batch, and prints JSON. Four batches take turns, as in a loader's ring, so that none is in a cache:
//   cmake --build build/dev --target mix_cost && build/dev/mix_cost
// An argument takes the place of the number of rounds; the tests run it with one.
#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "augment/batch_mix.h"

namespace penstock::augment {
namespace {

// Time of this thread alone: machines are shared.
double thread_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

double median_us(int num_rounds, const std::function<void(int)>& action) {
  action(0);  // memory comes with the first touch
  std::vector<double> times;
  for (int round = 1; round <= num_rounds; ++round) {
    const double start = thread_us();
    action(round);
    times.push_back(thread_us() - start);
  }
  std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
  return times[times.size() / 2];
}

struct NamedType {
  ElementType type;
  const char* name;
};

std::string measure(const NamedType& element, int num_rounds) {
  const BatchSpec spec{
      .batch = 64, .element = element.type, .label_form = LabelForm::kTargets, .num_targets = 1000};
  constexpr std::size_t kNumSlots = 4;
  std::vector<std::byte> ring(kNumSlots * spec.pixels_bytes(), std::byte{0x3C});
  const auto slot = [&](int round) {
    return ring.data() + static_cast<std::size_t>(round) % kNumSlots * spec.pixels_bytes();
  };
  std::vector<float> targets(std::size_t{spec.batch} * spec.num_targets);
  const std::vector<std::uint32_t> class_idx(spec.batch, 0);
  std::vector<float> weights(spec.batch, 1.0f);
  const auto run = [&](const BatchMix& mix) {
    return median_us(num_rounds, [&](int round) {
      mix.apply({.spec = &spec,
                 .pixels = slot(round),
                 .targets = targets,
                 .class_idx = class_idx,
                 .weights = weights,
                 .num_valid = spec.batch,
                 .draws = Draws({.position = static_cast<std::uint64_t>(round),
                                 .purpose = DrawPurpose::kBatch}),
                 .stop = nullptr});
    });
  };
  const double mixup_us = run(BatchMix({.mixup = 0.2}));
  const double cutmix_us = run(BatchMix({.cutmix = 1}));
  const double copy_us = median_us(num_rounds, [&](int round) {
    std::memcpy(slot(round + 1), slot(round), spec.pixels_bytes());
  });
  char line[200];
  std::snprintf(
      line, sizeof line,
      "{\"element\": \"%s\", \"batch_bytes\": %zu, \"mixup_us\": %.0f, \"cutmix_us\": %.0f, "
      "\"memcpy_us\": %.0f}",
      element.name, spec.pixels_bytes(), mixup_us, cutmix_us, copy_us);
  return line;
}

}  // namespace
}  // namespace penstock::augment

int main(int argc, char** argv) {
  using namespace penstock;
  int num_rounds = 41;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), num_rounds);
  const augment::NamedType types[] = {{ElementType::kFloat32, "float32"},
                                      {ElementType::kFloat16, "float16"},
                                      {ElementType::kBfloat16, "bfloat16"},
                                      {ElementType::kUint8, "uint8"}};
  std::printf("[");
  for (const auto& type : types) {
    std::printf("%s%s", &type == types ? "" : ",\n ",
                augment::measure(type, std::max(num_rounds, 1)).c_str());
  }
  std::printf("]\n");
}
