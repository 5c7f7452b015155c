// Going on where the source is one file or a few, or goes away while it is read.
#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>
#include <vector>

#include "fixtures/tar_maker.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tests/contains.h"
#include "tests/tools/convert/restart/killed_conversion.h"
#include "tests/tools/convert/source/array_files.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

// The same pictures as one archive.
struct ArchivePlace {
  ArchivePlace() {
    const fs::path photos = folder.path() / "photos";
    write_mixed_source(photos);
    std::vector<fixtures::TarEntry> members;
    for (const auto& entry : fs::recursive_directory_iterator(photos)) {
      if (!entry.is_regular_file()) continue;
      members.push_back({.name = entry.path().lexically_relative(photos).native(),
                         .bytes = read_text_file(entry.path())});
    }
    write_file(archive, fixtures::make_tar(members));
    config = {.source = archive,
              .dataset = folder.path() / "ds",
              .shard_size_bytes = 1u << 20,
              .num_jobs = 2};
  }

  ChildResult stop_at(std::uint64_t which) const {
    return convert_in_child(
        config, {.stops_at = [which](std::uint64_t num_done) { return num_done == which; }});
  }

  TemporaryFolder folder{quick_disk()};
  fs::path archive = folder.path() / "photos.tar";
  convert::ConvertConfig config;
};

BOOST_FIXTURE_TEST_SUITE(continue_archive, ArchivePlace)

BOOST_AUTO_TEST_CASE(it_goes_on_to_the_dataset_of_an_unbroken_run) {
  const ChildResult stopped = stop_at(25);
  BOOST_REQUIRE(stopped.num_journalled > 0u);
  const ChildResult rest = convert_in_child(config);
  BOOST_REQUIRE_MESSAGE(rest.is_done, rest.what);
  config.dataset = folder.path() / "whole";
  const ChildResult whole = convert_in_child(config);
  BOOST_REQUIRE_MESSAGE(whole.is_done, whole.what);
  BOOST_TEST(rest.num_begun == whole.num_begun - stopped.num_journalled);
  BOOST_TEST(rest.report == whole.report);
  BOOST_CHECK(contents(folder.path() / "ds") == contents(config.dataset));
}

BOOST_AUTO_TEST_CASE(one_that_is_written_to_while_it_is_read_is_no_dataset) {
  const ChildResult changed =
      convert_in_child(config, {.at_picture = [this](std::uint64_t num_done) {
                         if (num_done == 5)
                           fs::last_write_time(archive, fs::file_time_type::clock::now());
                       }});
  BOOST_TEST(changed.error_code == static_cast<int>(ErrorCode::kIo));
  BOOST_TEST(contains(changed.what, archive.native() + ": expected it as it was listed"),
             changed.what);
  BOOST_TEST(!fs::exists(config.dataset));
}

// Else what was in it would be in quarantine for good.
BOOST_AUTO_TEST_CASE(one_that_goes_away_ends_it_and_once_back_it_goes_on) {
  const fs::path away = folder.path() / "away.tar";
  const ChildResult ended = convert_in_child(config, {.at_picture = [&](std::uint64_t num_done) {
                                               if (num_done == 10) fs::rename(archive, away);
                                             }});
  BOOST_TEST(ended.error_code == static_cast<int>(ErrorCode::kIo));
  BOOST_TEST(
      contains(ended.what, archive.native() + ": expected it as it was listed, found it gone"),
      ended.what);
  fs::rename(away, archive);
  const ChildResult rest = convert_in_child(config);
  BOOST_REQUIRE_MESSAGE(rest.is_done, rest.what);
  config.dataset = folder.path() / "whole";
  BOOST_REQUIRE(convert_in_child(config).is_done);
  BOOST_CHECK(contents(folder.path() / "ds") == contents(config.dataset));
}

// Its members have no times of their own.
BOOST_AUTO_TEST_CASE(one_that_was_written_to_since_is_refused_by_its_name) {
  BOOST_REQUIRE(stop_at(25).num_journalled > 0u);
  fs::last_write_time(archive, fs::last_write_time(archive) + std::chrono::seconds(1));
  const ChildResult refused = convert_in_child(config);
  BOOST_TEST(refused.error_code == static_cast<int>(ErrorCode::kAlreadyExists));
  BOOST_TEST(contains(refused.what, "found it changed: " + archive.native() + ": written to since"),
             refused.what);
}

BOOST_AUTO_TEST_SUITE_END()

// Sources that are read in pieces from few files: stopped, changed, gone on with.
struct PiecesPlace : TemporaryFolder {
  PiecesPlace() : TemporaryFolder(quick_disk()) {
    config.dataset = path() / "ds";
    config.shard_size_bytes = 1u << 20;
    config.num_jobs = 2;
  }

  void check_refused_after(const std::function<void()>& change, const std::string& why) const {
    const ChildResult stopped = convert_in_child(
        config, {.stops_at = [](std::uint64_t num_done) { return num_done == 30; }});
    BOOST_REQUIRE_MESSAGE(stopped.num_journalled > 0u, stopped.what);
    change();
    const ChildResult refused = convert_in_child(config);
    BOOST_TEST(refused.error_code == static_cast<int>(ErrorCode::kAlreadyExists));
    BOOST_TEST(contains(refused.what, why), refused.what);
  }

  convert::ConvertConfig config;
};

void touch(const fs::path& file) {
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(1));
}

BOOST_FIXTURE_TEST_SUITE(continue_pieces, PiecesPlace)

BOOST_AUTO_TEST_CASE(an_array_that_was_written_to_since_is_refused_by_its_name) {
  const fs::path images = path() / "x.npy";
  const fs::path labels = path() / "y.npy";
  write_file(images, npy_file("|u1", "(40, 300, 300)", counted_bytes(40 * 300 * 300)));
  write_file(labels, npy_file("|u1", "(40,)", std::string(20, '\0') + std::string(20, '\1')));
  config.arrays = {{images, labels}};
  check_refused_after([&] { touch(labels); },
                      "found it changed: " + labels.native() + ": written to since");
}

BOOST_AUTO_TEST_CASE(an_array_goes_on_to_the_dataset_of_an_unbroken_run) {
  write_file(
      path() / "data.npz",
      zip_file({{.name = "images.npy",
                 .bytes = npy_file("|u1", "(40, 300, 300)", counted_bytes(40 * 300 * 300)),
                 .is_deflated = true},
                {.name = "labels.npy", .bytes = npy_file("|u1", "(40,)", counted_bytes(40))}}));
  config.source = path() / "data.npz";
  const ChildResult stopped =
      convert_in_child(config, {.stops_at = [](std::uint64_t num_done) { return num_done == 30; }});
  BOOST_REQUIRE_MESSAGE(stopped.num_journalled > 0u, stopped.what);
  const ChildResult rest = convert_in_child(config);
  BOOST_REQUIRE_MESSAGE(rest.is_done, rest.what);
  config.dataset = path() / "whole";
  const ChildResult whole = convert_in_child(config);
  BOOST_TEST(rest.num_begun == whole.num_begun - stopped.num_journalled);
  BOOST_CHECK(contents(path() / "ds") == contents(config.dataset));
}

BOOST_AUTO_TEST_CASE(a_dataset_whose_shard_was_written_to_or_that_was_made_anew_is_refused) {
  const fs::path photos = path() / "photos";
  write_mixed_source(photos);
  config.source = path() / "first.ds";
  const auto make_first = [&](std::uint64_t seed) {
    BOOST_REQUIRE(convert_in_child({.source = photos,
                                    .dataset = config.source,
                                    .split = {.seed = seed},
                                    .existing = convert::ExistingTarget::kReplace})
                      .is_done);
  };
  make_first(0);
  const fs::path shard = config.source / "train-00000.h5";
  check_refused_after([&] { touch(shard); }, shard.native() + ": written to since");
  fs::remove_all(path() / "ds.partial");
  check_refused_after([&] { make_first(1); }, "found source.id: ");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(source_that_goes, RestartPlace)

// A disk that drops out refuses each file in the words of one that was removed.
BOOST_AUTO_TEST_CASE(a_source_or_a_folder_of_it_that_goes_away_ends_it_and_once_back_it_goes_on) {
  for (const char* part : {"", "cat", "dog"}) {
    BOOST_TEST_CONTEXT("source/" << part) {
      const fs::path gone = *part == 0 ? config.source : config.source / part;
      const fs::path away = folder.path() / "away";
      const ChildResult ended =
          convert_in_child(config, {.at_picture = [&](std::uint64_t num_done) {
                             if (num_done == num_files / 3) fs::rename(gone, away);
                           }});
      BOOST_TEST(ended.error_code == static_cast<int>(ErrorCode::kIo));
      BOOST_TEST(contains(ended.what, "source: " + gone.native() +
                                          ": expected it as it was listed, found it gone"),
                 ended.what);
      BOOST_TEST(!fs::exists(config.dataset));
      fs::rename(away, gone);
      const ChildResult rest = convert_in_child(config);
      BOOST_REQUIRE_MESSAGE(rest.is_done, rest.what);
      BOOST_TEST(rest.num_begun == num_shards - ended.num_journalled);
      BOOST_CHECK(contents(config.dataset) == expected);
      fs::remove_all(config.dataset);
    }
  }
}

BOOST_AUTO_TEST_CASE(another_folder_in_its_place_is_no_source_of_what_was_listed) {
  const ChildResult ended = convert_in_child(config, {.at_picture = [&](std::uint64_t num_done) {
                                               if (num_done != num_files / 3) return;
                                               fs::rename(config.source, folder.path() / "away");
                                               fs::create_directories(config.source / "cat");
                                               fs::create_directories(config.source / "dog");
                                             }});
  BOOST_TEST(ended.error_code == static_cast<int>(ErrorCode::kIo));
  BOOST_TEST(contains(ended.what, "found it gone or closed"), ended.what);
}

BOOST_AUTO_TEST_CASE(a_dataset_that_was_to_be_replaced_stays_when_the_source_goes_away) {
  BOOST_REQUIRE(convert_in_child(config).is_done);
  config.existing = convert::ExistingTarget::kReplace;
  config.split.seed = 7;
  const ChildResult ended = convert_in_child(config, {.at_picture = [&](std::uint64_t num_done) {
                                               if (num_done == 2)
                                                 fs::rename(config.source, folder.path() / "away");
                                             }});
  BOOST_TEST(ended.error_code == static_cast<int>(ErrorCode::kIo));
  BOOST_CHECK(contents(config.dataset) == expected);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
