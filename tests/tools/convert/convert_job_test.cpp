#include "tools/convert/convert_job.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <fmt/core.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include "fixtures/jpeg_edit.h"
#include "fixtures/picture_bytes.h"
#include "fixtures/png_bytes.h"
#include "fixtures/tar_maker.h"
#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/shard_file.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/convert_listener.h"
#include "tests/tools/folder_contents.h"
#include "tests/tools/forbidden_folder.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/convert_report.h"
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

BOOST_AUTO_TEST_CASE(a_stop_within_the_first_shard_leaves_nothing_behind) {
  const tests::TemporaryFolder folder;
  tests::write_cats_and_dogs(folder.path() / "photos", 10);
  for (const std::uint64_t stop_at : {1u, 7u}) {
    std::stop_source stop;
    Listener listener;
    listener.at_file = [&](std::uint64_t num_done) {
      if (num_done == stop_at) stop.request_stop();
    };
    BOOST_CHECK_EXCEPTION(
        convert_folder(
            {.source = folder.path() / "photos", .dataset = folder.path() / "ds", .split = {}},
            listener, stop.get_token()),
        Error, [](const Error& error) { return error.code() == ErrorCode::kStopped; });
    BOOST_TEST(tests::count_entries(folder.path()) == 1u);
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_changes_after_it_was_listed_stops_the_conversion) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  write_picture(source / "a/1.jpg", {.seed = 1});
  Listener listener;
  listener.at_notice = [&] { write_picture(source / "a/1.jpg", {.seed = 2}); };
  BOOST_CHECK_EXCEPTION(
      convert_folder({.source = source, .dataset = folder.path() / "ds", .split = {}}, listener,
                     {}),
      Error, [](const Error& error) {
        return std::string(error.what()).find("found it changed") != std::string::npos;
      });
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(what_concerns_one_path_alone_is_quarantined) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  tests::write_cats_and_dogs(source, 4);
  Listener listener;
  listener.at_notice = [&] {
    for (const char* name : {"0.jpg", "1.jpg", "2.jpg"}) fs::remove(source / "cat" / name);
    fs::create_symlink("1.jpg", source / "cat/1.jpg");
    ::mkfifo((source / "cat/2.jpg").c_str(), 0600);
    listener.at_notice = nullptr;
  };
  const ConvertSummary summary = convert_folder(
      {.source = source, .dataset = folder.path() / "ds", .split = {}}, listener, {});
  BOOST_TEST(summary.num_by_reason.at("unreadable") == 3u);
  const std::string csv = read_text_file(folder.path() / "ds" / kQuarantineName);
  for (const char* why : {"No such file or directory", "Too many levels of symbolic links",
                          "expected a regular file"}) {
    BOOST_TEST(csv.find(why) != std::string::npos);
  }
}

// All that is in the training split is in the test split too, and copies are to go.
BOOST_AUTO_TEST_CASE(a_split_that_loses_every_picture_is_told) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  tests::write_cats_and_dogs(source / "test", 3);
  tests::write_cats_and_dogs(source / "train", 2);
  ConvertConfig config{.source = source, .dataset = folder.path() / "ds"};
  config.policies.set("duplicate_across_splits=quarantine");
  Listener listener;
  const ConvertSummary summary = convert_folder(config, listener, {});
  BOOST_TEST(summary.manifest.find_split("train") == nullptr);
  BOOST_TEST(listener.notices.find("warning: split train: none of 4 files became a sample; there "
                                   "are no statistics\n") != std::string::npos,
             listener.notices);
  BOOST_TEST(listener.notices.find("split test") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(bad_files_beyond_the_limit_are_named_and_listed) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  tests::write_cats_and_dogs(source, 2);
  for (int i = 0; i < 12; ++i) write_file(source / "cat" / (std::to_string(100 + i) + ".jpg"), "");
  ConvertConfig config{.source = source, .dataset = folder.path() / "ds"};
  config.max_bad = {.num_pictures = 11};
  Listener listener;
  const fs::path list = folder.path() / "ds.partial" / kQuarantineName;
  BOOST_CHECK_EXCEPTION(convert_folder(config, listener, {}), Error, [&](const Error& error) {
    BOOST_TEST(error.hint() ==
               "look at " + list.native() + ", or type the command with a larger --max-bad");
    return error.code() == ErrorCode::kTooManyBad;
  });
  BOOST_TEST(listener.notices.find("12 bad files so far:\n  cat/100.jpg: empty_file\n") !=
                 std::string::npos,
             listener.notices);
  BOOST_TEST(listener.notices.find("cat/109.jpg: empty_file\n  and 2 more\n") != std::string::npos,
             listener.notices);
  BOOST_TEST(read_text_file(list).find("\ncat/111.jpg,empty_file,0,\n") != std::string::npos);
  config.max_bad = {.num_pictures = 12};
  convert_folder(config, listener, {});
  BOOST_TEST(tests::count_entries(folder.path()) == 2u);
}

BOOST_AUTO_TEST_CASE(a_folder_that_may_not_be_read_is_quarantined_and_counted) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  tests::write_cats_and_dogs(source, 3);
  write_picture(source / "fox/1.jpg");
  Listener listener;
  ConvertSummary summary;
  {
    const tests::ForbiddenFolder fox(source / "fox");
    summary = convert_folder({.source = source, .dataset = folder.path() / "ds", .split = {}},
                             listener, {});
  }
  BOOST_TEST(summary.num_by_reason.at("unreadable") == 1u);
  BOOST_TEST(summary.manifest.num_quarantined.value() == 1u);
  BOOST_CHECK((summary.manifest.class_names == std::vector<std::string>{"cat", "dog", "fox"}));
  BOOST_TEST(read_text_file(folder.path() / "ds" / kQuarantineName) ==
             "path,reason,bytes,detail\nfox/,unreadable,0,Permission denied\n");
  BOOST_TEST(listener.notices.find("1 folder may not be read and will be quarantined:\n  fox/\n") !=
             std::string::npos);
}

// For lack of descriptors no file can be opened any more; a server that drops out is the same.
BOOST_AUTO_TEST_CASE(what_would_meet_every_file_ends_the_conversion) {
  const tests::TemporaryFolder folder;
  const fs::path source = folder.path() / "photos";
  // More than are read ahead.
  tests::write_cats_and_dogs(source, 400);
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  Listener listener;
  listener.at_file = [&](std::uint64_t num_done) {
    if (num_done == 1) ::setrlimit(RLIMIT_NOFILE, &none);
    // Back to life, as a server may come: what was quarantined meanwhile would be missing unseen.
    if (listener.last.num_quarantined > 0) ::setrlimit(RLIMIT_NOFILE, &before);
  };
  std::string what;
  std::string hint;
  try {
    convert_folder({.source = source, .dataset = folder.path() / "ds", .split = {}, .num_jobs = 1},
                   listener, {});
  } catch (const Error& error) {
    what = error.what();
    hint = error.hint();
  }
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  BOOST_TEST(what.rfind("open: " + source.native(), 0) == 0u);
  BOOST_TEST(hint == "raise the limit of open files: ulimit -n 65536");
  BOOST_TEST(!fs::exists(folder.path() / "ds"));
}

BOOST_AUTO_TEST_CASE(when_nothing_decodes_the_reasons_are_counted) {
  const tests::TemporaryFolder folder;
  write_file(folder.path() / "photos/a/1.jpg", "");
  write_file(folder.path() / "photos/b/2.jpg", "no picture");
  Listener listener;
  BOOST_CHECK_EXCEPTION(
      convert_folder(
          {.source = folder.path() / "photos", .dataset = folder.path() / "ds", .split = {}},
          listener, {}),
      Error, [&](const Error& error) {
        BOOST_TEST(error.what() == "source: " + (folder.path() / "photos").string() +
                                       ": expected at least one picture that decodes, found 1 "
                                       "empty_file, 1 not_a_picture");
        return error.code() == ErrorCode::kCorruptData;
      });
  BOOST_TEST(tests::count_entries(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(one_folder_inside_the_other_is_refused) {
  const tests::TemporaryFolder folder;
  tests::write_cats_and_dogs(folder.path() / "photos", 1);
  Listener listener;
  BOOST_CHECK_EXCEPTION(
      convert_folder(
          {.source = folder.path() / "photos", .dataset = folder.path() / "photos/ds", .split = {}},
          listener, {}),
      Error, [](const Error& error) { return error.code() == ErrorCode::kInvalidArgument; });
}

BOOST_AUTO_TEST_CASE(a_source_inside_of_the_dataset_is_refused_by_whatever_path) {
  const tests::TemporaryFolder folder;
  tests::write_cats_and_dogs(folder.path() / "ds/photos", 1);
  fs::create_directory_symlink(folder.path() / "ds", folder.path() / "link");
  Listener listener;
  for (const char* source : {"ds/photos", "link/photos", "ds/../ds/photos/"}) {
    BOOST_CHECK_EXCEPTION(convert_folder({.source = folder.path() / source,
                                          .dataset = folder.path() / "ds",
                                          .split = {},
                                          .existing = ExistingTarget::kReplace},
                                         listener, {}),
                          Error, [](const Error& error) {
                            // It is no dataset, or one that holds more than its own files.
                            return error.code() == ErrorCode::kInvalidArgument ||
                                   error.code() == ErrorCode::kAlreadyExists;
                          });
    BOOST_TEST(fs::exists(folder.path() / "ds/photos/cat/0.jpg"));
  }
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

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named) {
  const auto names_field = [](const char* field) {
    return [field](const Error& error) {
      return std::string(error.what()).find(field) != std::string::npos;
    };
  };
  BOOST_CHECK_EXCEPTION(ConvertConfig{.shard_size_bytes = 100}.validate(), Error,
                        names_field("shard_size"));
  BOOST_CHECK_EXCEPTION(ConvertConfig{.max_px = 0}.validate(), Error, names_field("max_pixels"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
