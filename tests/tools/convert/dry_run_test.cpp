#include "tools/convert/dry_run.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "fixtures/value_noise.h"
#include "streamer/core/error.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/image/opencv_picture.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/dry_run_text.h"
#include "tools/convert/image/exif_orientation.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tests::contains;
using tests::write_file;
using tests::write_picture;

class Listener final : public ConvertObserver {
 public:
  void notice(const std::string& text) override { notices += text + "\n"; }
  void progress(const ConvertProgress&) override {}
  std::string notices;
};

struct Place {
  tests::TemporaryFolder folder;
  ConvertConfig config{.source = folder.path() / "photos",
                       .dataset = folder.path() / "ds",
                       .split = {.validation_fraction = 0.25, .draw = SplitDraw::kStratified}};
  Listener listener;

  DryRunReport run() { return dry_run(config, listener, {}); }
};

BOOST_AUTO_TEST_SUITE(dry_run_of_a_conversion)

BOOST_AUTO_TEST_CASE(it_says_what_is_there_and_writes_nothing) {
  Place place;
  tests::write_cats_and_dogs(place.config.source, 8);
  write_file(place.config.source / "cat/empty.jpg", "");
  write_file(place.config.source / "dog/text.jpg", "not found");
  write_file(place.config.source / "dog/notes", "text");
  const DryRunReport report = place.run();
  BOOST_TEST(tests::count_entries(place.folder.path()) == 1u);
  BOOST_TEST(report.num_files == 19u);
  BOOST_TEST(report.num_looked_at == 19u);
  BOOST_CHECK((report.headers_by_reason ==
               std::map<std::string, std::uint64_t>{{"empty_file", 1}, {"not_a_picture", 1}}));
  BOOST_TEST(report.num_text == 1u);
  BOOST_TEST(report.num_timed == 16u);
  BOOST_TEST(report.estimated_time.count() > 0.0);
  BOOST_REQUIRE(report.classes.size() == 2u);
  // A quarter of 9 is 2.25, of 10 is 2.5: 2 and, of equal remainders, training first, 2.
  BOOST_CHECK((report.classes[0].num_by_split == std::array<std::uint64_t, 3>{7, 2, 0}));
  BOOST_CHECK((report.classes[1].num_by_split == std::array<std::uint64_t, 3>{8, 2, 0}));
  // 24 x 16 and 24 x 20, eight of each; the lower middle one.
  BOOST_TEST(report.median_short_px == 16u);
  BOOST_TEST(report.median_long_px == 24u);
  BOOST_TEST(!report.is_resize_worthwhile());
  BOOST_TEST(contains(place.listener.notices, "class folders, 2 classes, 19 files"));
}

BOOST_AUTO_TEST_CASE(the_disk_it_asks_for_is_what_the_conversion_takes_or_little_more) {
  Place place;
  tests::write_cats_and_dogs(place.config.source, 40);
  const DryRunReport report = place.run();
  const ConvertSummary summary = convert_folder(place.config, place.listener, {});
  BOOST_TEST(report.dataset_bytes >= summary.dataset_bytes);
  BOOST_TEST(report.dataset_bytes <= summary.dataset_bytes + (200u << 10));
  BOOST_TEST(report.num_by_split[0] == summary.manifest.splits[0].num_samples);
}

BOOST_AUTO_TEST_CASE(the_disk_it_asks_for_follows_what_is_asked_for) {
  Place place;
  for (const char* name : {"cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "dog/2.jpg"}) {
    write_picture(place.config.source / name, {.width_px = 300, .height_px = 200});
  }
  const DryRunReport as_found = place.run();
  place.config.encode.codec = CodecChoice::kRaw;
  const DryRunReport raw = place.run();
  const ConvertSummary summary = convert_folder(place.config, place.listener, {});
  fs::remove_all(place.config.dataset);
  BOOST_TEST(summary.dataset_bytes >= 4u * 300 * 200 * 3);
  BOOST_TEST(raw.dataset_bytes >= summary.dataset_bytes);
  BOOST_TEST(raw.dataset_bytes <= summary.dataset_bytes + (200u << 10));
  BOOST_TEST(raw.dataset_bytes - as_found.dataset_bytes ==
             4u * 300 * 200 * 3 - as_found.source_bytes);
  place.config.encode.grayscale = true;
  BOOST_TEST(raw.dataset_bytes - place.run().dataset_bytes == 4u * 300 * 200 * 2);
}

// 1/f noise in colour, as dense in detail as photographs are.
std::vector<std::uint8_t> photograph(fixtures::SizePx size, std::uint32_t seed) {
  const Draws draws({.seed = seed});
  const fixtures::NoiseConfig noise{.finest_cell_px = 1};
  const auto luma = fixtures::value_noise(draws, fixtures::NoiseField::kBrightness, size, noise);
  const auto warmth = fixtures::value_noise(draws, fixtures::NoiseField::kWarmth, size, noise);
  fixtures::Canvas canvas(size);
  for (std::size_t i = 0; i < luma.size(); ++i) {
    canvas.pixels()[i] = {0.5f + 0.15f * luma[i] + 0.05f * warmth[i], 0.5f + 0.15f * luma[i],
                          0.5f + 0.15f * luma[i] - 0.05f * warmth[i]};
  }
  return fixtures::to_rgb_bytes(canvas);
}

constexpr fixtures::SizePx kPhotographSize{.width = 400, .height = 300};

// Shrunk by a factor of 16 in area, or more than ten times the bytes: by the sides and the quality.
BOOST_AUTO_TEST_CASE(pictures_made_anew_take_what_the_dry_run_says_or_half_of_it) {
  struct Case {
    const char* extension;
    int file_quality;
    EncodeSettings encode;
  };
  for (const Case& one : {Case{".webp", 10, {}}, Case{".jpg", 50, {.resize_short_px = 75}},
                          Case{".jpg", 95, {.quality = 40}}, Case{".png", 0, {}}}) {
    BOOST_TEST_CONTEXT(one.extension << " " << one.file_quality) {
      Place place;
      place.config.encode = one.encode;
      for (std::uint32_t i = 0; i < 8; ++i) {
        std::vector<std::uint8_t> pixels = photograph(kPhotographSize, i);
        const cv::Mat image(static_cast<int>(kPhotographSize.height),
                            static_cast<int>(kPhotographSize.width), CV_8UC3, pixels.data());
        std::vector<int> parameters;
        if (one.extension == std::string(".webp")) {
          parameters = {cv::IMWRITE_WEBP_QUALITY, one.file_quality};
        } else if (one.extension == std::string(".jpg")) {
          parameters = {cv::IMWRITE_JPEG_QUALITY, one.file_quality};
        }
        write_file(
            place.config.source / (i % 2 == 0 ? "cat" : "dog") /
                (std::to_string(i) + one.extension),
            std::span<const std::byte>(tests::encoded_by_opencv(one.extension, image, parameters)));
      }
      const DryRunReport report = place.run();
      const ConvertSummary summary = convert_folder(place.config, place.listener, {});
      // Beside the pictures: manifest, and two shards.
      constexpr std::uint64_t kOtherBytes = 192u << 10;
      BOOST_TEST(report.is_upper_side);
      BOOST_TEST(report.dataset_bytes >= summary.dataset_bytes);
      BOOST_TEST(report.dataset_bytes <= 2 * summary.dataset_bytes + kOtherBytes);
      BOOST_TEST_MESSAGE(one.extension << ": " << report.source_bytes << ", "
                                       << report.dataset_bytes << " said, "
                                       << summary.dataset_bytes);
      BOOST_TEST(contains(dry_run_text(report, "ds"), "at most about "));
    }
  }
}

// 31,000 x 32,000 px of three bytes, 4,000 times: 12 TB of files of 8 MB that are one.
BOOST_AUTO_TEST_CASE(space_for_bare_pixels_is_checked_by_their_sides_before_anything_is_written) {
  Place place;
  std::vector<std::byte> jpeg = tests::picture_jpeg({});
  const std::array<std::byte, 2> frame{std::byte{0xFF}, std::byte{0xC0}};
  const auto at = std::search(jpeg.begin(), jpeg.end(), frame.begin(), frame.end());
  BOOST_REQUIRE(jpeg.end() - at > 9);
  const std::array<std::byte, 4> sides{std::byte{32000 >> 8}, std::byte{32000 & 0xFF},
                                       std::byte{31000 >> 8}, std::byte{31000 & 0xFF}};
  std::copy(sides.begin(), sides.end(), at + 5);
  const fs::path first = place.config.source / "cat/0.jpg";
  write_file(first, std::span<const std::byte>(jpeg));
  fs::resize_file(first, 8'000'000);
  for (int i = 1; i < 4000; ++i) {
    const char* const folder = i % 2 == 0 ? "cat" : "dog";
    fs::create_directories(place.config.source / folder);
    fs::create_hard_link(first, place.config.source / folder / (std::to_string(i) + ".jpg"));
  }
  if (fs::space(place.folder.path()).available > 11'000'000'000'000) return;
  place.config.max_px = 1'000'000'000;
  place.config.encode.codec = CodecChoice::kRaw;
  BOOST_CHECK_EXCEPTION(convert_folder(place.config, place.listener, {}), Error,
                        [](const Error& error) {
                          BOOST_TEST(contains(error.what(), "disk space: "));
                          return error.code() == ErrorCode::kIo;
                        });
  BOOST_TEST(tests::count_entries(place.folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(large_photographs_are_said_to_gain_by_a_resize) {
  Place place;
  write_picture(place.config.source / "cat/1.jpg", {.width_px = 1024, .height_px = 768});
  write_picture(place.config.source / "dog/1.jpg", {.width_px = 768, .height_px = 1024});
  const DryRunReport report = place.run();
  BOOST_TEST(report.is_resize_worthwhile());
  ConvertConfig small = place.config;
  small.encode.resize_short_px = kResizeShortPx;
  // The same estimate, but for what is beside the pictures in each dataset.
  const std::uint64_t saved_bytes =
      report.dataset_bytes - dry_run(small, place.listener, {}).dataset_bytes;
  BOOST_TEST(saved_bytes == report.source_bytes - report.resized_bytes);
  BOOST_TEST(contains(dry_run_text(report, "ds"), "at 256 px on the short side, by their sides"));
  place.config.encode.resize_short_px = 300;
  const DryRunReport resized = place.run();
  BOOST_TEST(!resized.is_resize_worthwhile());
  BOOST_TEST(!contains(dry_run_text(resized, "ds"), "could be"));
  BOOST_TEST(!contains(dry_run_json(resized), "resized_bytes"));
}

// What is kept or fixed by default, too; as often as the conversion finds it.
BOOST_AUTO_TEST_CASE(reasons_that_headers_tell_are_listed_whatever_is_done_about_them) {
  Place place;
  const fs::path source = place.config.source;
  write_picture(source / "cat/1.jpg", {.jpeg = {.is_progressive = true}});
  write_picture(source / "cat/2.jpg", {.channels = 1});
  write_picture(source / "cat/3.png");
  write_picture(source / "dog/1.jpg", {.width_px = 1});
  const auto turned = with_exif_orientation(tests::picture_jpeg({}), 6);
  write_file(source / "dog/2.jpg", std::span<const std::byte>(turned));
  write_file(source / "dog/3.png", std::span<const std::byte>(tests::encoded_by_opencv(
                                       ".png", cv::Mat(20, 20, CV_8UC3, cv::Scalar(1, 2, 3)))));
  place.config.max_coefficient_bytes = 100;
  const DryRunReport report = place.run();
  BOOST_CHECK(
      (report.headers_by_reason == std::map<std::string, std::uint64_t>{{"exif_orientation", 1},
                                                                        {"grayscale", 1},
                                                                        {"large_coefficients", 1},
                                                                        {"one_pixel_side", 1},
                                                                        {"other_format", 1},
                                                                        {"progressive", 1},
                                                                        {"wrong_extension", 1}}));
  const ConvertSummary summary = convert_folder(place.config, place.listener, {});
  for (const ReasonInfo& info : all_reasons()) {
    const auto found = report.headers_by_reason.find(std::string(info.name));
    const std::uint64_t num_found = found == report.headers_by_reason.end() ? 0 : found->second;
    if (info.code == ReasonCode::kConstant) continue;  // only pixels tell it
    BOOST_TEST(
        num_found == summary.reasons.num_kept(info.code) + summary.reasons.num_fixed(info.code),
        info.name);
  }
  BOOST_TEST(contains(dry_run_text(report, "ds"), "all 6: 1 exif_orientation, 1 grayscale, "));
}

BOOST_AUTO_TEST_CASE(of_many_files_a_sample_is_looked_at_the_same_each_time) {
  Place place;
  write_picture(place.config.source / "cat/0.jpg");
  write_file(place.config.source / "dog/0.jpg", "");
  for (int i = 1; i < 3000; ++i) {
    const std::string name = std::to_string(i) + ".jpg";
    fs::create_hard_link(place.config.source / "cat/0.jpg", place.config.source / "cat" / name);
    fs::create_hard_link(place.config.source / "dog/0.jpg", place.config.source / "dog" / name);
  }
  const DryRunReport report = place.run();
  BOOST_TEST(report.num_looked_at == kMaxHeadersLookedAt);
  const std::uint64_t num_empty = report.headers_by_reason.at("empty_file");
  // Half of 5000, drawn without replacement of 6000: deviation 14.
  BOOST_TEST(num_empty > 2400u);
  BOOST_TEST(num_empty < 2600u);
  BOOST_TEST(contains(dry_run_text(report, "ds"), "a sample of 5,000 of 6,000: "));
  place.config.num_jobs = 3;
  BOOST_TEST(place.run().headers_by_reason.at("empty_file") == num_empty);
}

BOOST_AUTO_TEST_CASE(text_and_json_say_the_same) {
  Place place;
  tests::write_cats_and_dogs(place.config.source, 4);
  const DryRunReport report = place.run();
  const auto json = nlohmann::json::parse(dry_run_json(report));
  BOOST_TEST(json["num_files"] == 8);
  BOOST_TEST(json["splits"]["validation"] == 2);
  BOOST_TEST(json["classes"][1]["name"] == "dog");
  BOOST_TEST(json["classes"][1]["num_samples"]["train"] == 3);
  BOOST_TEST(json["dataset_bytes"] == report.dataset_bytes);
  const std::string text = dry_run_text(report, "ds");
  BOOST_TEST(contains(text, "ds: a dry run, nothing was written\n"));
  BOOST_TEST(contains(text, "6 train, 2 validation"));
  BOOST_TEST(contains(text, "    dog: 3 train, 1 validation"));
  DryRunReport full = report;
  full.free_bytes = 5;
  BOOST_TEST(contains(dry_run_text(full, "ds"), ": too little"));
}

BOOST_AUTO_TEST_CASE(it_refuses_what_the_conversion_refuses) {
  Place place;
  tests::write_cats_and_dogs(place.config.source, 1);
  fs::create_directory(place.config.dataset);
  write_file(place.config.dataset / "x", "x");
  BOOST_CHECK_THROW(place.run(), Error);
  place.config.dataset = place.config.source / "ds";
  BOOST_CHECK_EXCEPTION(place.run(), Error, [](const Error& error) {
    return contains(error.what(), "found one inside");
  });
  place.config.dataset = place.folder.path() / "another";
  convert_folder(place.config, place.listener, {});
  place.config.source = place.config.dataset;
  place.config.existing = ExistingTarget::kReplace;
  BOOST_CHECK_EXCEPTION(place.run(), Error, [](const Error& error) {
    return contains(error.what(), "found the same folder");
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
