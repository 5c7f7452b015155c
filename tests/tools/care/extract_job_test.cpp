#include "tools/care/extract_job.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <opencv2/imgcodecs.hpp>

#include "fixtures/damage.h"
#include "fixtures/jpeg_edit.h"
#include "fixtures/jpeg_writer.h"
#include "streamer/core/error.h"
#include "streamer/read/new_picture.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/dataset_writer.h"
#include "tests/contains.h"
#include "tests/tools/care/cared_dataset.h"
#include "tools/care/extract_report.h"
#include "tools/care/remove_job.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/png_structure.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tests::CaredDataset;
using tests::files_below;

ExtractSummary extract(const fs::path& dataset, const fs::path& folder,
                       const std::string& split = {}) {
  return extract_dataset({.dataset = dataset, .folder = folder, .split = split, .num_jobs = 2},
                         tests::no_progress, {});
}

// 2 x 1 pixels, red and blue.
NewSample two_pixels(const std::vector<std::uint8_t>& rgb, const std::string& name,
                     std::uint32_t class_idx, std::uint8_t orientation = 1) {
  return new_raw({.pixels_hwc = rgb.data(),
                  .width_px = 2,
                  .height_px = 1,
                  .channels = 3,
                  .pixel_stride_bytes = 3,
                  .row_stride_bytes = 6},
                 {.class_idx = class_idx, .name = name, .orientation = orientation});
}

BOOST_AUTO_TEST_SUITE(extract_job)

BOOST_AUTO_TEST_CASE(class_folders_come_back_byte_for_byte) {
  const CaredDataset dataset;
  const ExtractSummary summary = extract(dataset.path(), dataset.folder() / "again");
  BOOST_TEST(summary.num_files == 16u);
  BOOST_TEST(summary.damage.empty());
  BOOST_TEST((files_below(dataset.folder() / "again") == files_below(dataset.source())));
  BOOST_TEST(!fs::exists(dataset.folder() / "again.partial"));
}

BOOST_AUTO_TEST_CASE(split_folders_come_back_byte_for_byte_and_one_alone) {
  const tests::TemporaryFolder folder;
  const fs::path photos = folder.path() / "photos";
  tests::write_cats_and_dogs(photos / "train", 3);
  tests::write_cats_and_dogs(photos / "test", 2);
  tests::SilentObserver observer;
  convert_folder({.source = photos, .dataset = folder.path() / "d.ds"}, observer, {});
  extract(folder.path() / "d.ds", folder.path() / "again");
  BOOST_TEST((files_below(folder.path() / "again") == files_below(photos)));
  extract(folder.path() / "d.ds", folder.path() / "test", "test");
  BOOST_TEST((files_below(folder.path() / "test" / "test") == files_below(photos / "test")));
  BOOST_CHECK_EXCEPTION(extract(folder.path() / "d.ds", folder.path() / "x", "validation"), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kNotFound; });
}

BOOST_AUTO_TEST_CASE(raw_pixels_come_back_as_png_of_the_same_pixels) {
  const tests::TemporaryFolder folder;
  const std::vector<std::uint8_t> rgb{255, 0, 0, 0, 0, 255};
  DatasetWriter writer(folder.path() / "d.ds", {.class_names = {"a"}});
  writer.add("train", two_pixels(rgb, "a/7", 0));
  writer.finish();
  const ExtractSummary summary = extract(folder.path() / "d.ds", folder.path() / "out");
  BOOST_TEST(summary.num_raw_as_png == 1u);
  const cv::Mat bgr = cv::imread((folder.path() / "out" / "a" / "7.png").string());
  BOOST_REQUIRE(bgr.total() == 2u);
  BOOST_TEST((bgr.at<cv::Vec3b>(0, 0) == cv::Vec3b(0, 0, 255)));
  BOOST_TEST((bgr.at<cv::Vec3b>(0, 1) == cv::Vec3b(255, 0, 0)));
}

BOOST_AUTO_TEST_CASE(raw_pixels_that_are_turned_come_back_as_png_that_says_so) {
  const tests::TemporaryFolder folder;
  const std::vector<std::uint8_t> rgb{255, 0, 0, 0, 0, 255};
  DatasetWriter writer(folder.path() / "d.ds", {.class_names = {"a"}});
  writer.add("train", two_pixels(rgb, "a/6", 0, 6));
  writer.add("train", two_pixels(rgb, "a/1", 0, 1));
  writer.finish();
  extract(folder.path() / "d.ds", folder.path() / "out");
  const auto told = [&](const char* name) {
    const std::string png = read_text_file(folder.path() / "out" / "a" / name);
    const auto exif = convert::read_png_structure(std::as_bytes(std::span(png))).exif;
    return exif.empty() ? 0 : int{convert::read_tiff_orientation(exif)};
  };
  BOOST_TEST(told("6.png") == 6);
  BOOST_TEST(told("1.png") == 0);  // no EXIF at all
}

// The left half is red, the right one blue; as OpenCV shows it, who turns by EXIF.
BOOST_AUTO_TEST_CASE(jpeg_that_only_the_index_turns_comes_back_with_an_exif_that_says_so) {
  const tests::TemporaryFolder folder;
  std::vector<std::uint8_t> rgb;
  for (int i = 0; i < 32 * 16; ++i) {
    const bool is_left = i % 32 < 16;
    rgb.insert(rgb.end(), {static_cast<std::uint8_t>(is_left ? 255 : 0), 0,
                           static_cast<std::uint8_t>(is_left ? 0 : 255)});
  }
  const std::vector<std::byte> plain = fixtures::encode_jpeg({.pixels_hwc = rgb.data(),
                                                              .width_px = 32,
                                                              .height_px = 16,
                                                              .channels = 3,
                                                              .pixel_stride_bytes = 3,
                                                              .row_stride_bytes = 96},
                                                             {});
  const std::vector<std::byte> says_6 = fixtures::with_orientation(plain, 6);
  DatasetWriter writer(folder.path() / "d.ds", {.class_names = {"a"}});
  const auto add = [&](const char* name, const std::vector<std::byte>& jpeg, std::uint8_t index) {
    writer.add("train", new_jpeg(jpeg, {.class_idx = 0, .name = name, .orientation = index}));
  };
  add("a/stripped.jpg", plain, 6);
  add("a/wrong.jpg", fixtures::with_orientation(plain, 3), 6);
  add("a/as_it_lies.jpg", says_6, 1);
  add("a/right.jpg", says_6, 6);
  add("a/upright.jpg", plain, 1);
  writer.finish();
  const ExtractSummary summary = extract(folder.path() / "d.ds", folder.path() / "out");
  BOOST_TEST(summary.num_orientation_told == 3u);
  BOOST_TEST(
      tests::contains(extract_text(summary, "out"),
                      "3 files with an EXIF orientation that only the dataset's index said"));
  const auto check = [&](const char* name, bool is_turned) {
    const cv::Mat bgr = cv::imread((folder.path() / "out/a" / name).string());
    BOOST_TEST(bgr.rows == (is_turned ? 32 : 16), name);
    // Turned clockwise by 90 degrees, what was left is above.
    BOOST_TEST(int{bgr.at<cv::Vec3b>(4, 4)[2]} > 200, name);
    BOOST_TEST(int{bgr.at<cv::Vec3b>(bgr.rows - 5, bgr.cols - 5)[0]} > 200, name);
  };
  for (const char* name : {"stripped.jpg", "wrong.jpg", "right.jpg"}) check(name, true);
  for (const char* name : {"as_it_lies.jpg", "upright.jpg"}) check(name, false);
  const auto bytes_of = [&](const char* name) {
    const std::string text = read_text_file(folder.path() / "out/a" / name);
    const auto bytes = std::as_bytes(std::span(text));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  };
  BOOST_TEST((bytes_of("right.jpg") == says_6));
  BOOST_TEST((bytes_of("upright.jpg") == plain));
}

BOOST_AUTO_TEST_CASE(names_that_would_leave_the_folder_are_numbered_and_said) {
  const tests::TemporaryFolder folder;
  const std::vector<std::uint8_t> rgb(6, 9);
  DatasetWriter writer(folder.path() / "d.ds", {.class_names = {"a", "../b"}});
  const std::vector<std::string> bad = {"../../outside.png", "/tmp/penstock-outside.png",
                                        "a/../x.png", std::string(300, 'n') + ".png"};
  for (const std::string& name : bad) writer.add("train", two_pixels(rgb, name, 1));
  writer.add("train", two_pixels(rgb, "a/good.png", 0));
  writer.add("train", two_pixels(rgb, "a/good.png", 0));  // the same name twice
  writer.add("train", two_pixels(rgb, "", 0));
  writer.finish();
  const ExtractSummary summary = extract(folder.path() / "d.ds", folder.path() / "out");
  BOOST_TEST(summary.num_files == 7u);
  BOOST_REQUIRE(summary.renamed.size() == 5u);
  for (std::size_t i = 0; i < bad.size(); ++i) {
    BOOST_TEST(summary.renamed[i].name == bad[i]);
    BOOST_TEST(summary.renamed[i].file == "class 1/train-0000000" + std::to_string(i) + ".png");
  }
  BOOST_TEST(summary.num_unnamed == 1u);
  BOOST_TEST(fs::exists(folder.path() / "out/train/a/00000006.png"));
  BOOST_TEST(!fs::exists("/tmp/penstock-outside.png"));
  // Two things in the folder of the test: the dataset and what was extracted.
  BOOST_TEST(std::distance(fs::directory_iterator(folder.path()), {}) == 2);
  // The folder "class 1" is not what the class is called.
  BOOST_TEST(summary.has_labels_file);
  BOOST_TEST(tests::contains(read_text_file(folder.path() / "out" / "labels.csv"),
                             "class 1/train-00000000.png,../b,train\n"));
}

BOOST_AUTO_TEST_CASE(a_dataset_without_names_is_numbered_by_split_and_class) {
  const CaredDataset dataset;
  tests::SilentObserver observer;
  convert_folder({.source = dataset.source(),
                  .dataset = dataset.folder() / "n.ds",
                  .split = {.validation_fraction = 0.0},
                  .store_names = false},
                 observer, {});
  const ExtractSummary summary = extract(dataset.folder() / "n.ds", dataset.folder() / "out");
  BOOST_TEST(summary.num_unnamed == 16u);
  const auto files = files_below(dataset.folder() / "out");
  BOOST_TEST(files.size() == 16u);
  for (const auto& [name, bytes] : files) {
    BOOST_TEST((name.starts_with("train/cat/") || name.starts_with("train/dog/")), name);
  }
}

// "cow" stands between "cat" and "dog".
BOOST_AUTO_TEST_CASE(a_class_without_pictures_keeps_its_folder) {
  const tests::TemporaryFolder folder;
  tests::write_cats_and_dogs(folder.path() / "photos", 3);
  fs::create_directories(folder.path() / "photos/cow");
  tests::convert_quietly(folder.path() / "photos", folder.path() / "d.ds");
  const ExtractSummary summary = extract(folder.path() / "d.ds", folder.path() / "again");
  BOOST_TEST(summary.empty_classes == std::vector<std::string>{"cow"},
             boost::test_tools::per_element());
  BOOST_TEST(summary.has_empty_folders);
  tests::convert_quietly(folder.path() / "again", folder.path() / "e.ds");
  BOOST_TEST(read_manifest(folder.path() / "e.ds").class_names ==
                 read_manifest(folder.path() / "d.ds").class_names,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_sample_of_a_lost_shard_is_counted) {
  const CaredDataset dataset;
  const std::uint64_t num_lost = Dataset::open(dataset.path()).split("train").num_samples();
  fs::remove(dataset.train());
  const ExtractSummary summary = extract(dataset.path(), dataset.folder() / "out");
  BOOST_TEST(summary.damage.size() == 1u);
  BOOST_TEST(summary.num_lost == num_lost);
  BOOST_TEST(summary.num_files == 16u - num_lost);
}

BOOST_AUTO_TEST_CASE(a_place_within_the_dataset_or_without_a_folder_around_is_refused) {
  const CaredDataset dataset;
  BOOST_CHECK_EXCEPTION(extract(dataset.path(), dataset.path() / "out"), Error,
                        [](const Error& error) {
                          return error.code() == ErrorCode::kInvalidArgument &&
                                 error.hint() == "name a FOLDER beside DATASET";
                        });
  BOOST_CHECK_EXCEPTION(
      extract(dataset.path(), dataset.folder() / "none" / "out"), Error, [](const Error& error) {
        return error.code() == ErrorCode::kNotFound && error.hint().starts_with("mkdir -p ");
      });
}

BOOST_AUTO_TEST_CASE(a_damaged_sample_is_left_out_and_named) {
  const CaredDataset dataset;
  const DatasetSplit split = Dataset::open(dataset.path()).split("train");
  fixtures::flip_byte(dataset.train(), split.record(2).offset_bytes + 30);
  const ExtractSummary summary = extract(dataset.path(), dataset.folder() / "out");
  BOOST_TEST(summary.num_files == 15u);
  BOOST_REQUIRE(summary.damage.size() == 1u);
  BOOST_TEST(summary.damage[0].name == split.read_name(2));
  BOOST_TEST(!fs::exists(dataset.folder() / "out" / split.read_name(2)));
}

// By the manifest, which says so.
BOOST_AUTO_TEST_CASE(a_folder_for_which_there_is_no_room_is_refused_with_a_hint_of_its_own) {
  const CaredDataset dataset;
  Manifest manifest = read_manifest(dataset.path());
  manifest.splits.at(0).shards.at(0).size_bytes = 1ull << 60;
  write_manifest(dataset.path(), manifest);
  const fs::path out = dataset.folder() / "out";
  BOOST_CHECK_EXCEPTION(extract(dataset.path(), out / ""), Error, [&](const Error& error) {
    return tests::contains(error.what(), "disk space: " + dataset.folder().string() + ": ") &&
           error.hint() == "free some, or name a FOLDER on another disk";
  });
  BOOST_TEST(!fs::exists(out));
}

// A folder so deep that one name more is too long for the system.
BOOST_AUTO_TEST_CASE(
    a_file_that_could_not_be_written_is_numbered_within_the_split_and_counts_nowhere) {
  const tests::TemporaryFolder folder;
  const std::vector<std::byte> jpeg =
      fixtures::encode_jpeg({.pixels_hwc = std::vector<std::uint8_t>(12).data(),
                             .width_px = 2,
                             .height_px = 2,
                             .channels = 3,
                             .pixel_stride_bytes = 3,
                             .row_stride_bytes = 6},
                            {});
  std::string deep;
  for (int i = 0; i < 11; ++i) deep += std::string(250, 'd') + '/';
  DatasetWriter writer(folder.path() / "d.ds", {.class_names = {"a", "b"}, .shard_bytes = 1});
  for (const std::string& name : {std::string("x/1.jpg"), std::string("x/2.jpg"), deep + "3.png"}) {
    writer.add("train",
               new_jpeg(jpeg, {.class_idx = name.ends_with("3.png") ? 1u : 0u, .name = name}));
  }
  writer.finish();
  BOOST_TEST(read_manifest(folder.path() / "d.ds").find_split("train")->shards.size() == 3u);
  fs::path out = folder.path();
  for (int i = 0; i < 6; ++i) out /= std::string(240, 'o');
  fs::create_directories(out.parent_path());
  const ExtractSummary summary = extract(folder.path() / "d.ds", out);
  BOOST_TEST(summary.num_files == 2u);
  BOOST_REQUIRE(summary.damage.size() == 1u);
  BOOST_TEST(summary.damage[0].sample_idx.value() == 2u);
  BOOST_TEST(summary.damage[0].name == deep + "3.png");
  BOOST_TEST(tests::contains(summary.damage[0].what, "make its folder"));
  BOOST_TEST(summary.num_other_format == 0u);
  BOOST_TEST(summary.empty_classes == std::vector<std::string>{"b"},
             boost::test_tools::per_element());
  BOOST_TEST(read_text_file(out / "labels.csv") ==
             "path,label,split\nx/1.jpg,a,train\nx/2.jpg,a,train\n");
}

// The second shard is gone before it is opened.
BOOST_AUTO_TEST_CASE(a_dataset_that_is_changed_meanwhile_is_not_called_damaged) {
  const CaredDataset dataset;
  const Manifest before = read_manifest(dataset.path());
  const std::string name = Dataset::open(dataset.path()).split("validation").read_name(0);
  const auto change = [&](const CheckProgress&) {
    if (read_manifest(dataset.path()).id != before.id) return;
    remove_samples({.dataset = dataset.path(), .names = {name}}, tests::no_progress, {});
  };
  const ExtractConfig config{
      .dataset = dataset.path(), .folder = dataset.folder() / "out", .num_jobs = 1};
  BOOST_CHECK_EXCEPTION(extract_dataset(config, change, {}), Error, [](const Error& error) {
    return error.code() == ErrorCode::kIo &&
           tests::contains(error.what(), "expected nobody who changes it meanwhile");
  });
  BOOST_TEST(!fs::exists(config.folder));
  BOOST_TEST(extract_dataset(config, change, {}).num_files == 15u);  // the hint
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_there_is_refused_and_nothing_is_left_of_a_stopped_one) {
  const CaredDataset dataset;
  BOOST_CHECK_EXCEPTION(extract(dataset.path(), dataset.source()), Error, [](const Error& error) {
    return error.code() == ErrorCode::kAlreadyExists;
  });
  std::stop_source stop;
  stop.request_stop();
  BOOST_CHECK_THROW(extract_dataset({.dataset = dataset.path(), .folder = dataset.folder() / "out"},
                                    tests::no_progress, stop.get_token()),
                    Error);
  BOOST_TEST(!fs::exists(dataset.folder() / "out"));
  BOOST_TEST(!fs::exists(dataset.folder() / "out.partial"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::care
