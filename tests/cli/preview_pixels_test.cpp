// What the sheet of penstock preview shows, held against the batches of a loader and against stored
// pixels that reach the sheet unchanged.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "fixtures/jpeg_writer.h"
#include "streamer/read/new_picture.h"
#include "streamer/shard/dataset_writer.h"
#include "tests/cli/preview_place.h"
#include "tests/cli/refused.h"
#include "tests/contains.h"
#include "train/run/data/data_pipeline.h"
#include "train/run/settings/run_file.h"

namespace penstock::tests {
namespace {

using Json = nlohmann::json;
using train::PipelineUse;

/// The pixels of one cell as interleaved RGB; each must be a square of one colour.
std::vector<std::uint8_t> cell_pixels(const cv::Mat& sheet, const Json& place) {
  const int side = place["pixel_side_px"];
  const int width = place["width_px"].get<int>() / side;
  const int height = place["height_px"].get<int>() / side;
  std::vector<std::uint8_t> pixels;
  int num_uneven = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const cv::Rect square(place["x_px"].get<int>() + x * side,
                            place["y_px"].get<int>() + y * side, side, side);
      const auto bgr = sheet.at<cv::Vec3b>(square.y, square.x);
      for (int c = 2; c >= 0; --c) pixels.push_back(bgr[c]);
      for (int dy = 0; dy < side; ++dy) {
        for (int dx = 0; dx < side; ++dx) {
          num_uneven += sheet.at<cv::Vec3b>(square.y + dy, square.x + dx) != bgr;
        }
      }
    }
  }
  BOOST_TEST(num_uneven == 0);
  return pixels;
}

/// What a loader gives of one sample in one epoch.
struct Delivered {
  std::uint64_t position = 0;
  std::vector<float> values_hwc;
};
using DeliveredBy = std::map<std::pair<std::uint32_t, std::uint64_t>, Delivered>;  // epoch, sample

DeliveredBy deliver(const std::string& dataset, const std::string& split,
                    const train::PipelineConfig& config, PipelineUse use) {
  MemoryBudget budget(256u << 20);
  const auto loader = train::make_loader(Dataset::open(dataset).split(split), config, use, budget);
  DeliveredBy delivered;
  const std::size_t num_values = config.batch.sample_bytes() / sizeof(float);
  for (BatchLease lease = loader->next(); lease; lease = loader->next()) {
    for (std::uint32_t i = 0; i < lease->num_valid; ++i) {
      const float* values = lease->pixels_f32() + i * num_values;
      delivered[{lease->epoch, lease->sample_ids[i]}] = {lease->positions[i],
                                                         {values, values + num_values}};
    }
  }
  return delivered;
}

/// The nearest bytes of normalised values: the inverse of (p / 255 - mean) / std. Gray as RGB.
std::vector<std::uint8_t> bytes_of(const std::vector<float>& values_hwc,
                                   const augment::AugmentConfig& config, std::size_t channels = 3) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < values_hwc.size(); ++i) {
    const std::size_t c = i % channels;
    const double p = 255 * (config.mean[c] + double{values_hwc[i]} * config.std[c]);
    bytes.insert(bytes.end(), 3 / channels,
                 static_cast<std::uint8_t>(std::clamp(std::lround(p), 0l, 255l)));
  }
  return bytes;
}

constexpr const char* kRunFile =
    "seed = 9\nimage_size = \"40x56\"\nmean = [0.4, 0.5, 0.6]\nstd = [0.25, 0.2, 0.3]\n"
    "[augment]\npreset = \"imagenet\"\nrotation_range = 20\nzoom_range = 0.2\n"
    "brightness_range = 0.4\ncontrast_range = 0.4\nsaturation_range = 0.4\nhue_range = 0.1\n"
    "channel_shift_range = 20\nrandom_erasing = 0.5\n";

BOOST_AUTO_TEST_SUITE(preview_pixels)

BOOST_AUTO_TEST_CASE(every_version_is_the_sample_in_the_trainers_batch_of_its_epoch) {
  const PreviewPlace place;
  place.write_jpegs();
  const std::string file = (place.folder.path() / "run.toml").string();
  std::ofstream(file) << kRunFile;
  const train::RunConfig run = train::read_run_file(file);
  for (const SampleOrder order : {SampleOrder::kShuffle, SampleOrder::kSequential}) {
    const Json json =
        place.preview_json({"--config", file, "--samples", "5", "--versions", "3", "--epoch", "1",
                            "--force", "--order", std::string(sample_order_name(order))});
    const DeliveredBy delivered = deliver(place.dataset(), "train",
                                          {.batch = {.batch = 4, .height_px = 40, .width_px = 56},
                                           .augment = train::augment_of(run),
                                           .order = order,
                                           .seed = 9,
                                           .cores = {},
                                           .num_epochs = 4},
                                          PipelineUse::kTrain);
    BOOST_REQUIRE(delivered.size() == 4 * 13u);
    const cv::Mat sheet = place.pixels();
    BOOST_REQUIRE(json["samples"].size() == 5u);
    for (std::size_t row = 0; row < 5; ++row) {
      const Json& sample = json["samples"][row];
      BOOST_REQUIRE(sample["versions"].size() == 3u);
      BOOST_TEST(sample["versions"][0]["position"] == row * 13 / 5);
      for (std::uint32_t k = 0; k < 3; ++k) {
        const Json& version = sample["versions"][k];
        BOOST_TEST(version["epoch"] == 1 + k);
        const Delivered& expected = delivered.at({1 + k, sample["sample_id"]});
        BOOST_TEST(version["position"] == expected.position);
        BOOST_TEST(version["place"]["pixel_side_px"] == 3);  // 192 / 56
        const bool is_equal = cell_pixels(sheet, version["place"]) ==
                              bytes_of(expected.values_hwc, train::augment_of(run));
        BOOST_TEST(is_equal, "row " << row << ", epoch " << 1 + k);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_network_that_sees_gray_is_shown_gray) {
  const PreviewPlace place;
  place.write_jpegs();
  const Json json = place.preview_json({"--color-mode", "grayscale", "--image-size", "64"});
  BOOST_TEST(contains(json["config"], "color_mode = \"grayscale\"\n"));
  BOOST_TEST(contains(json["config"], "\nmean = [0.0]\nstd = [1.0]\n"));
  const train::RunConfig run;
  const DeliveredBy delivered =
      deliver(place.dataset(), "train",
              {.batch = {.batch = 4, .height_px = 64, .width_px = 64, .channels = 1},
               .augment = train::augment_of(run),
               .cores = {},
               .num_epochs = 6},
              PipelineUse::kTrain);
  const cv::Mat sheet = place.pixels();
  for (const Json& sample : json["samples"]) {
    for (const Json& version : sample["versions"]) {
      const Delivered& expected = delivered.at({version["epoch"], sample["sample_id"]});
      BOOST_REQUIRE(expected.values_hwc.size() == 64u * 64);
      const bool is_equal =
          cell_pixels(sheet, version["place"]) == bytes_of(expected.values_hwc, {}, 1);
      BOOST_TEST(is_equal, sample["sample_id"] << ", epoch " << version["epoch"]);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_evaluation_split_shows_what_evaluation_gets) {
  const PreviewPlace place;
  place.write_jpegs();
  const Json json = place.preview_json(
      {"--split", "validation", "--image-size", "64", "--augment", "imagenet", "--samples", "9"});
  train::RunConfig run;
  run.augment = augment::AugmentConfig::preset("imagenet");
  const DeliveredBy delivered = deliver(place.dataset(), "validation",
                                        {.batch = {.batch = 4, .height_px = 64, .width_px = 64},
                                         .augment = train::augment_of(run),
                                         .cores = {}},
                                        PipelineUse::kEvaluate);
  BOOST_REQUIRE(json["samples"].size() == 3u);  // all that there are
  const cv::Mat sheet = place.pixels();
  for (const Json& sample : json["samples"]) {
    BOOST_REQUIRE(sample["versions"].size() == 1u);
    const Delivered& expected = delivered.at({0, sample["sample_id"]});
    BOOST_TEST(sample["versions"][0]["position"] == expected.position);
    const bool is_equal =
        cell_pixels(sheet, sample["versions"][0]["place"]) == bytes_of(expected.values_hwc, {});
    BOOST_TEST(is_equal, sample["sample_id"]);
  }
  BOOST_TEST(contains(json["config"], "horizontal_flip = 0.0\n"));
  BOOST_TEST(contains(json["config"], "center_crop = 0.875\n"));
  for (const char* flag : {"--versions", "--epoch"}) {
    check_refused_with(place.preview({"--split", "validation", flag, "2", "--force"}), 2,
                       std::string("preview: ") + flag + ": expected with the split train only");
  }
}

// Without resizing every pixel of the sheet is one that was stored. The last sample is turned
// clockwise to stand upright: EXIF 6, row 0 is the right side.
BOOST_AUTO_TEST_CASE(stored_pixels_reach_the_sheet_unchanged_upright_and_mirrored_where_it_says) {
  const PreviewPlace place;
  place.write_raws(6);
  const Json json = place.preview_json({"--image-size", "32", "--samples", "6", "--versions", "8",
                                        "--augment", "none", "--augment.horizontal-flip", "0.5"});
  const cv::Mat sheet = place.pixels();
  int num_flipped = 0;
  for (const Json& sample : json["samples"]) {
    const std::uint32_t id = sample["sample_id"];
    auto stored = raw_pixels(id);
    cv::Mat upright(kRawSidePx, kRawSidePx, CV_8UC3, stored.data());
    if (id == 5) cv::rotate(upright.clone(), upright, cv::ROTATE_90_CLOCKWISE);
    cv::Mat mirrored;
    cv::flip(upright, mirrored, 1);
    const auto bytes = [](const cv::Mat& image) {
      return std::vector<std::uint8_t>(image.data, image.data + image.total() * 3);
    };
    const bool is_same = cell_pixels(sheet, sample["original"]) == bytes(upright);
    BOOST_TEST(is_same, "original of " << id);
    BOOST_TEST(sample["original"]["pixel_side_px"] == 6);  // 192 / 32
    for (const Json& version : sample["versions"]) {
      const bool is_flipped = version["drawn"]["is_flipped"];
      num_flipped += is_flipped;
      const bool is_right =
          cell_pixels(sheet, version["place"]) == bytes(is_flipped ? mirrored : upright);
      BOOST_TEST(is_right, "sample " << id << ", epoch " << version["epoch"]);
    }
  }
  BOOST_TEST(num_flipped > 0);
  BOOST_TEST(num_flipped < 48);
}

// Against OpenCV: a smooth picture stored on its side (EXIF 6) is turned, then averaged over areas.
// Two decoders at scales of their own and two ways of shrinking: a few levels of 255 apart.
BOOST_AUTO_TEST_CASE(an_original_is_the_upright_picture_shrunk_to_its_cell) {
  const PreviewPlace place;
  constexpr int kWidth = 1200;
  constexpr int kHeight = 400;
  cv::Mat rgb(kHeight, kWidth, CV_8UC3);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      rgb.at<cv::Vec3b>(y, x) = {static_cast<std::uint8_t>(x * 255 / kWidth),
                                 static_cast<std::uint8_t>(y * 255 / kHeight), 90};
    }
  }
  const auto jpeg = fixtures::encode_jpeg({.pixels_hwc = rgb.data,
                                           .width_px = kWidth,
                                           .height_px = kHeight,
                                           .channels = 3,
                                           .pixel_stride_bytes = 3,
                                           .row_stride_bytes = kWidth * 3},
                                          {.quality = 95});
  {
    DatasetWriter writer(place.dataset(), {.class_names = {"one"}});
    writer.add("train", new_jpeg(jpeg, {.class_idx = 0, .orientation = 6}));
    writer.finish();
  }
  const Json json = place.preview_json({"--image-size", "96"});
  const Json& original = json["samples"][0]["original"];
  BOOST_TEST(original["width_px"] == 64);  // 400 x 1200 in a cell of 192 x 192
  BOOST_TEST(original["height_px"] == 192);
  cv::Mat expected;
  cv::rotate(rgb, expected, cv::ROTATE_90_CLOCKWISE);
  cv::resize(expected, expected, {64, 192}, 0, 0, cv::INTER_AREA);
  auto shown = cell_pixels(place.pixels(), original);
  BOOST_REQUIRE(shown.size() == expected.total() * 3);
  const cv::Mat found(192, 64, CV_8UC3, shown.data());
  BOOST_TEST(cv::norm(expected, found, cv::NORM_INF) <= 5);
}

// A picture of one colour has it everywhere, however it is turned and stretched.
BOOST_AUTO_TEST_CASE(pictures_of_one_pixel_and_of_one_line_are_shown) {
  const PreviewPlace place;
  {
    DatasetWriter writer(place.dataset(), {.class_names = {"one"}});
    const std::vector<std::uint8_t> pixels(3 * 5000, 77);
    for (const auto& [width_px, height_px] : {std::pair{1u, 1u}, {5000u, 1u}, {1u, 5000u}}) {
      writer.add("train", new_raw({.pixels_hwc = pixels.data(),
                                   .width_px = width_px,
                                   .height_px = height_px,
                                   .channels = 3,
                                   .pixel_stride_bytes = 3,
                                   .row_stride_bytes = std::size_t{width_px} * 3},
                                  {.class_idx = 0}));
    }
    writer.finish();
  }
  const Json json = place.preview_json({"--image-size", "24", "--augment.rotation-range", "40",
                                        "--augment.random-resized-crop", "true"});
  const cv::Mat sheet = place.pixels();
  for (const Json& sample : json["samples"]) {
    std::vector<Json> places = {sample["original"]};
    for (const Json& version : sample["versions"]) places.push_back(version["place"]);
    BOOST_TEST(places.size() == 7u);
    for (const Json& one : places) {
      const auto pixels = cell_pixels(sheet, one);
      BOOST_TEST(!pixels.empty());
      BOOST_TEST(std::ranges::count(pixels, 77) == static_cast<std::ptrdiff_t>(pixels.size()));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
