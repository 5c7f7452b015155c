// penstock preview as it is typed. What its sheet shows is held against the batches of a loader, and
// against stored pixels that reach the sheet unchanged.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "fixtures/damage.h"
#include "streamer/read/new_picture.h"
#include "streamer/shard/dataset_writer.h"
#include "tests/cli/refused.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"
#include "train/run/data_pipeline.h"
#include "train/run/run_file.h"
#include "train/run/run_keys.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using train::PipelineUse;

constexpr std::uint32_t kRawSidePx = 32;

/// RGB that no symmetry maps to itself.
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

struct Place {
  std::string dataset() const { return (folder.path() / "photos.ds").string(); }
  std::string sheet() const { return (folder.path() / "sheet.png").string(); }

  /// 13 JPEGs of several sizes and orientations in "train", 3 in "validation".
  void write_jpegs() const {
    DatasetWriter writer(dataset(), {.class_names = {"cat", "caf\u00E9", "\u732B"}});
    for (std::uint32_t i = 0; i < 16; ++i) {
      const auto jpeg =
          picture_jpeg({.width_px = 40 + 31 * i, .height_px = 200 - 9 * i, .seed = i});
      writer.add(i < 13 ? "train" : "validation",
                 new_jpeg(jpeg, {.class_idx = i % 3,
                                 .name = "picture " + std::to_string(i),
                                 .orientation = static_cast<std::uint8_t>(1 + i % 8)}));
    }
    writer.finish();
  }
  /// `count` raw pictures of 32 x 32; the last is stored on its side (EXIF 6).
  void write_raws(std::uint32_t count) const {
    DatasetWriter writer(dataset(), {.class_names = {"one"}});
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto pixels = raw_pixels(i);
      const std::uint8_t orientation = i + 1 == count ? 6 : 1;
      writer.add("train", raw_sample(pixels, {.class_idx = 0, .orientation = orientation}));
    }
    writer.finish();
  }

  CommandResult preview(std::vector<std::string> more) const {
    more.insert(more.begin(), {"preview", dataset(), "-o", sheet()});
    return run_penstock(more);
  }
  Json preview_json(std::vector<std::string> more) const {
    more.push_back("--json");
    const CommandResult result = preview(more);
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    return Json::parse(result.out);
  }
  cv::Mat pixels() const { return cv::imread(sheet(), cv::IMREAD_COLOR); }

  TemporaryFolder folder;
};

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

BOOST_AUTO_TEST_SUITE(preview_cli)

BOOST_AUTO_TEST_CASE(every_version_is_the_sample_in_the_trainers_batch_of_its_epoch) {
  const Place place;
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

// A sheet shows samples, and mixing takes batches.
BOOST_AUTO_TEST_CASE(a_sheet_of_a_run_that_mixes_says_that_it_shows_what_is_before) {
  const Place place;
  place.write_jpegs();
  const auto title = [&](std::vector<std::string> more) {
    more.push_back("--force");
    return place.preview_json(std::move(more))["title"].get<std::string>();
  };
  BOOST_TEST(title({}).ends_with("split train: what the trainer gets"));
  BOOST_TEST(title({"--augment.cutmix", "1"}).ends_with(", before cutmix"));
  BOOST_TEST(title({"--augment.mixup", "0.2", "--augment.cutmix", "1"})
                 .ends_with(", before mixup or cutmix"));
  BOOST_TEST(
      title({"--split", "validation", "--augment.mixup", "0.2"}).ends_with("what evaluation gets"));
}

BOOST_AUTO_TEST_CASE(a_network_that_sees_gray_is_shown_gray) {
  const Place place;
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
  const Place place;
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
  const Place place;
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
  const Place place;
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
  const Place place;
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

BOOST_AUTO_TEST_CASE(names_that_the_sheet_cannot_write_stand_on_the_screen) {
  const Place place;
  place.write_jpegs();
  const CommandResult result = place.preview({"--samples", "13", "--versions", "1"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err == "");
  BOOST_TEST(contains(result.out, place.sheet() + ": 13 samples of split train, "));
  BOOST_TEST(contains(result.out, "\n  2: \u732B, sample 2, picture 2"));
  BOOST_TEST(contains(result.out, "\n  1: caf\u00E9, sample 1, picture 1"));
}

BOOST_AUTO_TEST_CASE(a_sample_that_does_not_decode_has_its_reason_and_the_others_are_shown) {
  const Place place;
  {
    DatasetWriter writer(place.dataset(), {.class_names = {"one"}});
    const auto pixels = raw_pixels(1);
    const auto jpeg = picture_jpeg({.width_px = 64, .height_px = 64});
    std::vector<std::byte> no_picture(jpeg.size(), std::byte{7});
    NewSample lost = new_jpeg(jpeg, {.class_idx = 0});
    lost.encoded = no_picture;
    writer.add("train", lost);
    writer.add("train", raw_sample(pixels, {.class_idx = 0}));
    writer.add("train", raw_sample(pixels, {.class_idx = 0}));
    writer.finish();
  }
  const Dataset dataset = Dataset::open(place.dataset());
  const std::string shard = dataset.manifest().find_split("train")->shards[0].file;
  fixtures::flip_byte(fs::path(place.dataset()) / shard,
                      dataset.split("train").record(2).offset_bytes + 5);
  const CommandResult result =
      place.preview({"--image-size", "32", "--samples", "3", "--json", "--versions", "2"});
  BOOST_TEST(result.exit_code == 3);
  BOOST_TEST(contains(result.err, "split train: sample 0: expected a picture, found none: "));
  BOOST_TEST(contains(result.err, "checksum"));
  const Json json = Json::parse(result.out);
  BOOST_TEST(json["num_failed"] == 2);
  BOOST_TEST(!place.pixels().empty());
  for (const Json& sample : json["samples"]) {
    const bool is_whole = sample["sample_id"] == 1;
    BOOST_TEST(sample["fault"].is_null() == is_whole);
    BOOST_TEST(sample["original"].is_null() != is_whole);
    for (const Json& version : sample["versions"])
      BOOST_TEST(version["place"].is_null() != is_whole);
  }
}

BOOST_AUTO_TEST_CASE(show_prints_settings_that_read_back_as_the_same) {
  const Place place;
  place.write_jpegs();
  for (const std::string_view preset : augment::AugmentConfig::preset_names()) {
    const CommandResult shown =
        run_penstock({"preview", "--show", "--augment", std::string(preset)});
    BOOST_REQUIRE_MESSAGE(shown.exit_code == 0, shown.err);
    const train::RunConfig read = train::parse_run_file(shown.out, "shown");
    BOOST_TEST((read.augment == augment::AugmentConfig::preset(preset)), preset);
    for (const train::RunKey& key : train::run_keys()) {
      if (!key.is_augment() || key.name == "augment.preset") continue;
      const std::string line = "\n" + std::string(key.name_in_table()) + " = ";
      BOOST_TEST(contains(shown.out, line), preset << " without " << key.name);
    }
  }
  const CommandResult shown = place.preview({"--show", "--augment", "cifar", "--seed", "4"});
  BOOST_TEST(shown.exit_code == 0);
  BOOST_TEST(!fs::exists(place.sheet()));
  BOOST_TEST(contains(shown.out, "image_size = \"96x96\"\n"));  // of the medians
  BOOST_TEST(contains(shown.out, "\nseed = 4\n"));
  BOOST_TEST(contains(shown.out, "\nrandom_crop_padding = 4\n"));
  const std::string file = (place.folder.path() / "run.toml").string();
  std::ofstream(file) << shown.out;
  BOOST_TEST(place.preview({"--show", "--config", file}).out == shown.out);
  check_refused_with(place.preview({"--show", "--json"}), 2, "expected without --show");
}

BOOST_AUTO_TEST_CASE(statistics_can_be_given_by_flag_one_number_for_each_channel) {
  const CommandResult rgb = run_penstock({"preview", "--show", "--mean", "[0.5, 0.25, 0.125]"});
  BOOST_TEST(rgb.exit_code == 0);
  BOOST_TEST(contains(rgb.out, "\nmean = [0.5, 0.25, 0.125]\n"));
  const CommandResult gray = run_penstock(
      {"preview", "--show", "--mean", "0.5", "--color-mode", "grayscale", "--std", "dataset"});
  BOOST_TEST(gray.exit_code == 0);
  BOOST_TEST(contains(gray.out, "\nmean = [0.5]\n"));
  BOOST_TEST(!contains(gray.out, "\nstd = "));
  check_refused(run_penstock({"preview", "--show", "--mean", "[0.5]"}), 2,
                "run: mean: expected three numbers with color_mode = \"rgb\", found 1",
                "mean = \"dataset\"");
  check_refused(run_penstock({"preview", "--show", "--std", "[0.5, 0.5]"}), 2,
                "run: std: expected three numbers with color_mode = \"rgb\", found 2",
                "--std \"[0.229, 0.224, 0.225]\"");
}

BOOST_AUTO_TEST_CASE(an_existing_file_is_replaced_by_force_only) {
  const Place place;
  place.write_raws(2);
  std::ofstream(place.sheet()) << "mine";
  check_refused(place.preview({}), 1,
                "output: " + place.sheet() + ": expected nothing there, found a file",
                "--force replaces it; or name another file");
  BOOST_TEST(fs::file_size(place.sheet()) == 4u);
  BOOST_TEST(place.preview({"--force", "--quiet"}).out == "");
  BOOST_TEST(!place.pixels().empty());
}

BOOST_AUTO_TEST_CASE(a_place_that_cannot_be_written_is_refused_before_any_work) {
  const Place place;  // without a dataset: nothing looks for it
  const std::string folder = place.folder.path();
  const auto to = [&](const std::string& out) {
    return run_penstock({"preview", folder + "/none.ds", "-o", out});
  };
  check_refused(to(folder + "/not/there.png"), 1,
                "output: " + folder + "/not: expected a folder, found none",
                "mkdir -p " + folder + "/not");
  check_refused_with(to(folder + "/a.jpg"), 2, "expected a name that ends in .png, found ");
  place.write_raws(1);  // procfs makes no files, not even for root
  check_refused_with(run_penstock({"preview", place.dataset(), "-o", "/proc/sheet.png"}), 1,
                     "/proc");
}

BOOST_AUTO_TEST_CASE(what_is_typed_wrong_is_refused_and_leaves_no_file) {
  const Place place;
  place.write_jpegs();
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--samples", "0"},
                                                {"--samples", "1001"},
                                                {"--versions", "0"},
                                                {"--versions", "x"},
                                                {"--epoch", "2147483648"},
                                                {"--image-size", "0"},
                                                {"--image-size", "99999"},
                                                {"--augment", "cifer"},
                                                {"--augment.zoom-range", "nan"},
                                                {"--memory", "0"}}) {
    check_refused_with(place.preview(wrong), 2, "");
  }
  check_refused_with(run_penstock({"preview"}), 2, "preview: DATASET: expected a dataset");
  check_refused_with(run_penstock({"preview", place.dataset()}), 2, "preview: --out: expected");
  check_refused_with(place.preview({"--split", "tset"}), 1, "tset");
  check_refused_with(place.preview({"--image-size", "16000", "--versions", "100"}), 1,
                     "sheet: expected at most 100,000,000 pixels, found 1616000 x 64000");
  check_refused_with(place.preview({"--image-size", "1x2", "--samples", "13", "--versions", "1000",
                                    "--memory", "64M"}),
                     1, "sheet");
  const CommandResult too_little = place.preview({"--memory", "13M"});
  check_refused_with(too_little, 1, "the sheet and its PNG: expected at most ");
  BOOST_TEST(contains(too_little.err, "\nhint: raise --memory; or fewer --samples"));
  check_refused_with(place.preview({"--config", place.sheet() + ".toml"}), 1, "run file");
  BOOST_TEST(count_entries(place.folder.path()) == 1u);  // the dataset
}

BOOST_AUTO_TEST_CASE(a_split_without_samples_is_refused) {
  const Place place;
  write_cats_and_dogs(place.folder.path() / "photos", 2);
  BOOST_REQUIRE(run_penstock({"convert", (place.folder.path() / "photos").string(), place.dataset(),
                              "--validation-split", "0", "--quiet"})
                    .exit_code == 0);
  check_refused_with(place.preview({"--split", "validation"}), 1, "validation");
  BOOST_TEST(!fs::exists(place.sheet()));
}

BOOST_AUTO_TEST_CASE(the_help_says_which_sample_a_version_is) {
  const std::string help = run_penstock({"preview", "--help"}).out;
  BOOST_TEST(contains(help, "penstock preview photos.ds --split train -o sheet.png"));
  BOOST_TEST(contains(help, "at the position that it has in that epoch's"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
