#include "tests/cli/preview_place.h"

#include <boost/test/unit_test.hpp>
#include <opencv2/imgcodecs.hpp>

#include "streamer/shard/dataset_writer.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {

std::vector<std::uint8_t> raw_pixels(std::uint32_t seed) {
  std::vector<std::uint8_t> pixels;
  for (std::uint32_t y = 0; y < kRawSidePx; ++y) {
    for (std::uint32_t x = 0; x < kRawSidePx; ++x) {
      for (std::uint32_t c = 0; c < 3; ++c) {
        pixels.push_back(static_cast<std::uint8_t>(3 * x + 5 * y * y + 60 * c + 29 * seed));
      }
    }
  }
  return pixels;
}

NewSample raw_sample(const std::vector<std::uint8_t>& pixels, PictureFacts facts) {
  return new_raw({.pixels_hwc = pixels.data(),
                  .width_px = kRawSidePx,
                  .height_px = kRawSidePx,
                  .channels = 3,
                  .pixel_stride_bytes = 3,
                  .row_stride_bytes = std::size_t{kRawSidePx} * 3},
                 facts);
}

void PreviewPlace::write_jpegs() const {
  DatasetWriter writer(dataset(), {.class_names = {"cat", "caf\u00E9", "\u732B"}});
  for (std::uint32_t i = 0; i < 16; ++i) {
    const auto jpeg = picture_jpeg({.width_px = 40 + 31 * i, .height_px = 200 - 9 * i, .seed = i});
    writer.add(i < 13 ? "train" : "validation",
               new_jpeg(jpeg, {.class_idx = i % 3,
                               .name = "picture " + std::to_string(i),
                               .orientation = static_cast<std::uint8_t>(1 + i % 8)}));
  }
  writer.finish();
}

void PreviewPlace::write_raws(std::uint32_t count) const {
  DatasetWriter writer(dataset(), {.class_names = {"one"}});
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto pixels = raw_pixels(i);
    const std::uint8_t orientation = i + 1 == count ? 6 : 1;
    writer.add("train", raw_sample(pixels, {.class_idx = 0, .orientation = orientation}));
  }
  writer.finish();
}

CommandResult PreviewPlace::preview(std::vector<std::string> more) const {
  more.insert(more.begin(), {"preview", dataset(), "-o", sheet()});
  return run_penstock(more);
}

nlohmann::json PreviewPlace::preview_json(std::vector<std::string> more) const {
  more.push_back("--json");
  const CommandResult result = preview(more);
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  return nlohmann::json::parse(result.out);
}

cv::Mat PreviewPlace::pixels() const {
  return cv::imread(sheet(), cv::IMREAD_COLOR);
}

}  // namespace penstock::tests
