// A dataset from pictures that are no files: here stripes, drawn in memory, of many sizes.
//
//     write_dataset DATASET [PICTURES]
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "streamer/streamer.h"

namespace {

struct Stripes {
  std::vector<std::uint8_t> pixels_hwc;
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
};

// Class 0 lies down (rows alternate), class 1 stands up (columns do).
Stripes draw(std::uint32_t number, std::uint32_t class_idx) {
  Stripes stripes{{}, 16 + number * 7 % 41, 16 + number * 5 % 37};
  for (std::uint32_t y = 0; y < stripes.height_px; ++y) {
    for (std::uint32_t x = 0; x < stripes.width_px; ++x) {
      const std::uint32_t across =
          class_idx == 0 ? y * 64 / stripes.height_px : x * 64 / stripes.width_px;
      const std::uint8_t value = across / 16 % 2 == 0 ? 40 : 215;
      stripes.pixels_hwc.insert(stripes.pixels_hwc.end(), {value, value, 128});
    }
  }
  return stripes;
}

}  // namespace

int main(int argc, char** argv) try {
  using namespace penstock;
  if (argc < 2) return std::puts("usage: write_dataset DATASET [PICTURES]"), 2;
  const std::uint32_t num_pictures =
      argc > 2 ? static_cast<std::uint32_t>(std::atoi(argv[2])) : 400;

  DatasetWriter writer(argv[1], {.class_names = {"lying", "standing"}, .shard_bytes = 1u << 20});
  for (std::uint32_t number = 0; number < num_pictures; ++number) {
    const std::uint32_t class_idx = number % 2;
    const Stripes stripes = draw(number, class_idx);
    const ImageView view{
        stripes.pixels_hwc.data(),        stripes.width_px, stripes.height_px, 3, 3,
        std::size_t{stripes.width_px} * 3};
    writer.add(
        number % 10 < 8 ? "train" : "validation",
        new_raw(view, {.class_idx = class_idx, .name = "stripes " + std::to_string(number)}));
  }
  const Manifest manifest = writer.finish();  // the folder appears now, complete, or not at all

  for (const ManifestSplit& split : manifest.splits) {
    std::printf("%s: %llu samples in %zu shards\n", split.name.c_str(),
                static_cast<unsigned long long>(split.num_samples), split.shards.size());
  }
  const StoredSample sample = Dataset::open(argv[1]).split("train").sample(0);
  const Picture picture = read_picture(sample);
  std::printf("train sample 0: class %s, %u x %u pixels\n",
              manifest.class_names[sample.record().class_idx].c_str(), picture.width_px,
              picture.height_px);
} catch (const penstock::Error& error) {
  std::fprintf(stderr, "%s\nhint: %s\n", error.what(), error.hint().c_str());
  return 1;
}
