// Uses the streamer as somebody else's program does: public headers only, nothing of the tests.
// Writes a dataset, streams it, looks at single samples and catches an error; 0 when all is as it was
// put in.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "streamer/streamer.h"

namespace {

using namespace penstock;

constexpr std::uint32_t kNumSamples = 10;
constexpr std::uint32_t kSidePx = 8;

void demand(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "consumer: expected %s\n", what);
  std::exit(1);
}

std::vector<std::uint8_t> pixels_of(std::uint64_t sample_id) {
  std::vector<std::uint8_t> pixels(kSidePx * kSidePx * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::uint8_t>(sample_id * 29 + i * 5);
  }
  return pixels;
}

void write(const std::filesystem::path& folder) {
  DatasetWriter writer(folder, {.class_names = {"even", "odd"}, .shard_bytes = 1000});
  for (std::uint32_t id = 0; id < kNumSamples; ++id) {
    const auto pixels = pixels_of(id);
    writer.add("train", new_raw({pixels.data(), kSidePx, kSidePx, 3, 3, kSidePx * 3},
                                {.class_idx = id % 2}));
  }
  writer.finish();
}

// Resized to the size they have, pictures come out as they went in.
void stream(const DatasetSplit& split) {
  MemoryBudget budget(64u << 20);
  Loader loader(split,
                {.batch = {.batch = 4,
                           .height_px = kSidePx,
                           .width_px = kSidePx,
                           .element = ElementType::kUint8},
                 .seed = 7,
                 .num_epochs = 2},
                std::make_shared<ResizeTransform>(), budget);
  std::uint64_t num_seen = 0;
  for (std::uint32_t epoch = 0; epoch < 2; ++epoch) {
    for (BatchLease batch : loader.epoch(epoch)) {
      for (std::uint32_t i = 0; i < batch->num_valid; ++i, ++num_seen) {
        const auto expected = pixels_of(batch->sample_ids[i]);
        demand(
            std::memcmp(batch->pixels + i * expected.size(), expected.data(), expected.size()) == 0,
            "the pixels that were written");
        demand(batch->class_idx[i] == batch->sample_ids[i] % 2, "the class that was written");
      }
    }
  }
  demand(num_seen == 2 * kNumSamples, "every sample once an epoch");
  demand(loader.try_next({}).outcome == NextOutcome::kEnd, "the end");
}

void look_at_one(const DatasetSplit& split) {
  demand(read_picture(split.sample(3)).pixels_hwc == pixels_of(3), "the pixels of sample 3");
  try {
    split.sample(kNumSamples);
    demand(false, "an error");
  } catch (const Error& error) {
    demand(error.code() == ErrorCode::kInvalidArgument, "InvalidArgument");
  }
}

}  // namespace

int main() try {
  std::string pattern = (std::filesystem::temp_directory_path() / "consumer-XXXXXX").string();
  demand(mkdtemp(pattern.data()) != nullptr, "a temporary folder");
  const std::filesystem::path folder = pattern;
  write(folder / "d");
  const DatasetSplit split = Dataset::open(folder / "d").split("train");
  stream(split);
  look_at_one(split);
  std::filesystem::remove_all(folder);
  std::puts("consumer: ok");
} catch (const Error& error) {
  std::fprintf(stderr, "consumer: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return 1;
}
