#include "tools/convert/convert_job.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "fixtures/jpeg_writer.h"
#include "fixtures/png_bytes.h"
#include "fixtures/tar_maker.h"
#include "streamer/core/checksum.h"
#include "streamer/core/file.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/shard_file.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/convert_listener.h"
#include "tests/tools/folder_contents.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/quarantine.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tests::contents;
using tests::Listener;
using tests::write_file;
using tests::write_picture;

std::vector<std::byte> sample_bytes(const DatasetSplit& split, std::uint64_t i) {
  std::vector<std::byte> bytes(split.record(i).length_bytes);
  split.shard_of(i).read_sample(split.record(i), bytes);
  return bytes;
}

BOOST_AUTO_TEST_SUITE(convert_job)

// Remembers when the dataset appeared.
struct PublishedAt final : ConvertObserver {
  void notice(const std::string&) override {}
  void progress(const ConvertProgress&) override {}
  void reached(ConvertPoint point) override {
    if (point == ConvertPoint::kPublished) time = std::chrono::steady_clock::now();
  }
  std::chrono::steady_clock::time_point time;
};

BOOST_AUTO_TEST_CASE(the_time_that_it_took_is_that_of_the_scan_too) {
  const tests::TemporaryFolder folder;
  tests::write_cats_and_dogs(folder.path() / "photos", 1);
  PublishedAt published;
  std::chrono::steady_clock::time_point scanned;
  const auto scan_slowly = [&](SourceScan&) {
    scanned = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
  };
  const ConvertSummary summary = convert_folder({.source = folder.path() / "photos",
                                                 .dataset = folder.path() / "ds",
                                                 .amend_scan = scan_slowly},
                                                published, {});
  BOOST_CHECK(summary.elapsed >= published.time - scanned);
}

BOOST_AUTO_TEST_CASE(every_picture_is_stored_once_with_its_bytes_class_and_name) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  tests::write_cats_and_dogs(source, 20);
  Listener listener;
  const ConvertSummary summary =
      convert_folder({.source = source,
                      .dataset = folder.path() / "ds",
                      .split = {.validation_fraction = 0.3, .test_fraction = {}}},
                     listener, {});
  const Dataset dataset = Dataset::open(folder.path() / "ds");
  BOOST_CHECK((dataset.manifest().class_names == std::vector<std::string>{"cat", "dog"}));
  std::map<std::string, int> seen;
  for (const ManifestSplit& named : dataset.manifest().splits) {
    const DatasetSplit split = dataset.split(named.name);
    const std::vector<std::string> names = split.read_names();
    BOOST_REQUIRE(names.size() == split.num_samples());
    for (std::uint64_t i = 0; i < split.num_samples(); ++i) {
      ++seen[names[i]];
      BOOST_TEST(split.record(i).class_idx == (names[i].rfind("dog/", 0) == 0 ? 1u : 0u));
      const std::string file = read_text_file(source / names[i]);
      const auto stored = sample_bytes(split, i);
      BOOST_TEST(std::equal(stored.begin(), stored.end(), std::as_bytes(std::span(file)).begin(),
                            std::as_bytes(std::span(file)).end()));
      BOOST_TEST(split.record(i).xxh3 == xxh3_64(stored));
    }
  }
  BOOST_TEST(seen.size() == 40u);
  BOOST_TEST(summary.manifest.splits.size() == 2u);
  BOOST_TEST(listener.last.num_done == 40u);
  BOOST_TEST(listener.last.done_bytes == listener.last.total_bytes);
  BOOST_TEST(!fs::exists(folder.path() / "ds" / kQuarantineName));
}

BOOST_AUTO_TEST_CASE(the_bytes_do_not_depend_on_jobs_or_on_the_clock) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  tests::write_cats_and_dogs(source, 15);
  write_file(source / "cat/bad.jpg", "no picture");
  std::map<std::string, std::string> first;
  for (const unsigned num_jobs : {1u, 2u, 3u, 8u}) {
    const fs::path dataset = folder.path() / ("ds" + std::to_string(num_jobs));
    Listener listener;
    convert_folder({.source = source,
                    .dataset = dataset,
                    .split = {},
                    .shard_size_bytes = 1 << 20,
                    .num_jobs = num_jobs},
                   listener, {});
    if (first.empty()) first = contents(dataset);
    BOOST_CHECK(contents(dataset) == first);
  }
  BOOST_TEST(first.size() >= 3u);
}

BOOST_AUTO_TEST_CASE(damage_costs_no_good_picture_its_place) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  tests::write_cats_and_dogs(source, 10);
  const ConvertConfig config{.source = source, .dataset = folder.path() / "whole", .split = {}};
  Listener listener;
  convert_folder(config, listener, {});
  write_file(source / "cat/empty.jpg", "");
  write_file(source / "dog/a \"b\",c.jpg", "text");
  write_file(source / "dog/notes.txt", "text");
  ConvertConfig damaged = config;
  damaged.dataset = folder.path() / "damaged";
  const ConvertSummary summary = convert_folder(damaged, listener, {});
  BOOST_TEST(summary.manifest.num_quarantined.value() == 2u);
  BOOST_TEST(summary.counted.num_text_skipped == 1u);
  BOOST_TEST(read_text_file(damaged.dataset / kQuarantineName) ==
             "path,reason,bytes,detail\n"
             "cat/empty.jpg,empty_file,0,\n"
             "\"dog/a \"\"b\"\",c.jpg\",not_a_picture,4,text\n");
  const auto names = [](const fs::path& path) {
    return Dataset::open(path).split("train").read_names();
  };
  BOOST_CHECK(names(config.dataset) == names(damaged.dataset));
}

BOOST_AUTO_TEST_CASE(statistics_are_those_of_the_training_pixels) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  // Plain gray pictures of quality 100 decode to what they were: 51 is 0.2, 204 is 0.8.
  const auto write_plain = [&](const std::string& path, std::uint8_t value, std::uint32_t side_px) {
    const std::vector<std::uint8_t> pixels(std::size_t{side_px} * side_px, value);
    const auto jpeg = fixtures::encode_jpeg({.pixels_hwc = pixels.data(),
                                             .width_px = side_px,
                                             .height_px = side_px,
                                             .channels = 1,
                                             .pixel_stride_bytes = 1,
                                             .row_stride_bytes = side_px},
                                            {.quality = 100});
    write_file(source / path, std::span<const std::byte>(jpeg));
  };
  write_plain("train/a/1.jpg", 51, 16);
  write_plain("train/b/1.jpg", 204, 16);
  write_plain("test/a/1.jpg", 255, 64);
  write_plain("test/b/1.jpg", 255, 8);
  Listener listener;
  const Manifest manifest =
      convert_folder({.source = source, .dataset = folder.path() / "ds", .split = {}}, listener, {})
          .manifest;
  BOOST_REQUIRE(manifest.mean.size() == 3u);
  for (std::size_t c = 0; c < 3; ++c) {
    BOOST_TEST(manifest.mean[c] == 0.5, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(manifest.std[c] == 0.3, boost::test_tools::tolerance(1e-9));
  }
  BOOST_TEST(manifest.largest.num_px == 64u * 64u);
  BOOST_TEST(manifest.median_width_px == 16u);
  std::vector<std::pair<std::uint32_t, std::uint64_t>> bins;
  for (const SizeBin& bin : manifest.size_histogram) {
    bins.emplace_back(bin.long_side_px, bin.num_samples);
  }
  BOOST_CHECK((bins == decltype(bins){{8, 1}, {16, 2}, {64, 1}}));
  BOOST_REQUIRE(manifest.splits.size() == 2u);
  BOOST_TEST(manifest.splits[1].name == "test");
}

// A PNG becomes a JPEG; what is quarantined was no sample's source.
BOOST_AUTO_TEST_CASE(bytes_of_the_source_are_those_of_the_files_that_became_samples) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  tests::write_cats_and_dogs(source, 6);
  const std::vector<std::byte> png = fixtures::png_file(fixtures::pattern_png({}, 1));
  write_file(source / "cat/a.png", std::span<const std::byte>(png));
  std::uint64_t source_bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(source)) {
    if (entry.is_regular_file()) source_bytes += entry.file_size();
  }
  write_file(source / "cat/cut.jpg", "\xFF\xD8\xFF");
  Listener listener;
  const Manifest manifest =
      convert_folder({.source = source, .dataset = folder.path() / "ds", .split = {}}, listener, {})
          .manifest;
  BOOST_TEST(manifest.num_quarantined.value() == 1u);
  BOOST_REQUIRE(manifest.sample_bytes.has_value());
  BOOST_TEST(manifest.sample_bytes->source_bytes == source_bytes);
  std::uint64_t stored_bytes = 0;
  const Dataset dataset = Dataset::open(folder.path() / "ds");
  for (const ManifestSplit& split : manifest.splits) {
    const DatasetSplit open = dataset.split(split.name);
    for (std::uint64_t i = 0; i < open.num_samples(); ++i) {
      stored_bytes += open.record(i).length_bytes;
    }
  }
  BOOST_TEST(manifest.sample_bytes->stored_bytes == stored_bytes);
  BOOST_TEST(stored_bytes != source_bytes);
}

BOOST_AUTO_TEST_CASE(exif_orientation_is_stored_and_the_bytes_are_not_touched) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  const std::vector<std::byte> upright = tests::picture_jpeg({});
  // APP1 with orientation 6 (TIFF 6.0, big-endian) behind SOI.
  const std::string_view app1(
      "\xFF\xE1\0\x22"
      "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
      36);
  std::vector<std::byte> turned(upright.begin(), upright.begin() + 2);
  for (const char c : app1) turned.push_back(static_cast<std::byte>(c));
  turned.insert(turned.end(), upright.begin() + 2, upright.end());
  write_file(source / "a/1.jpg", std::span<const std::byte>(turned));
  Listener listener;
  const auto summary = convert_folder({.source = source,
                                       .dataset = folder.path() / "ds",
                                       .split = {.validation_fraction = 0.0, .test_fraction = {}}},
                                      listener, {});
  const DatasetSplit split = Dataset::open(folder.path() / "ds").split("train");
  BOOST_TEST(split.record(0).orientation == 6u);
  BOOST_CHECK(sample_bytes(split, 0) == turned);
  // A viewer shows it upright: 16 wide, 24 high.
  BOOST_TEST(summary.manifest.median_width_px == 16u);
  BOOST_TEST(summary.manifest.median_height_px == 24u);
}

BOOST_AUTO_TEST_CASE(names_are_left_out_on_request) {
  const tests::TemporaryFolder folder;
  tests::write_cats_and_dogs(folder.path() / "photos", 3);
  Listener listener;
  convert_folder({.source = folder.path() / "photos",
                  .dataset = folder.path() / "ds",
                  .split = {},
                  .store_names = false},
                 listener, {});
  for (const auto& [name, content] : contents(folder.path() / "ds")) {
    BOOST_TEST(content.find("cat/1.jpg") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(class_names_that_are_no_utf8_are_escaped) {
  const tests::TemporaryFolder folder;
  write_picture(folder.path() / "photos/\xe4pfel/1.jpg");
  write_picture(folder.path() / "photos/\xc3\xa4pfel/1.jpg");
  Listener listener;
  convert_folder({.source = folder.path() / "photos",
                  .dataset = folder.path() / "ds",
                  .split = {.validation_fraction = 0.0, .test_fraction = {}}},
                 listener, {});
  BOOST_CHECK((Dataset::open(folder.path() / "ds").manifest().class_names ==
               std::vector<std::string>{"\xc3\xa4pfel", "\\xe4pfel"}));
}

// Each a folder, nearly all of them empty: as an archive, which is quickly made. A million was tried by hand.
BOOST_AUTO_TEST_CASE(very_many_classes_keep_their_numbers) {
  const tests::TemporaryFolder folder;
  constexpr std::uint32_t kNumClasses = 20'000;
  const auto name = [](std::uint32_t i) { return "class_" + std::to_string(100'000 + i); };
  std::vector<fixtures::TarEntry> entries;
  for (std::uint32_t i = 0; i < kNumClasses; ++i) entries.push_back({name(i) + "/", "", '5'});
  for (const std::uint32_t i : {0u, 7'777u, kNumClasses - 1}) {
    const std::vector<std::byte> jpeg = tests::picture_jpeg({.seed = i});
    entries.push_back(
        {name(i) + "/1.jpg", {reinterpret_cast<const char*>(jpeg.data()), jpeg.size()}});
  }
  write_file(folder.path() / "x.tar", fixtures::make_tar(entries));
  Listener listener;
  convert_folder({.source = folder.path() / "x.tar",
                  .dataset = folder.path() / "ds",
                  .split = {.validation_fraction = 0.0, .test_fraction = {}}},
                 listener, {});
  BOOST_TEST(listener.notices.find("warning: 19,997 of 20,000 classes have no picture and keep "
                                   "their class index: 'class_100001', ") != std::string::npos,
             listener.notices);
  const Dataset dataset = Dataset::open(folder.path() / "ds");
  BOOST_TEST(dataset.manifest().class_names.size() == kNumClasses);
  const DatasetSplit split = dataset.split("train");
  const std::vector<std::string> names = split.read_names();
  BOOST_REQUIRE(split.num_samples() == 3u);
  for (std::uint64_t i = 0; i < 3; ++i) {
    BOOST_TEST(names[i] == name(split.record(i).class_idx) + "/1.jpg");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
