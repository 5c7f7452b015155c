#include "tools/care/remove_job.h"

#include <boost/test/unit_test.hpp>

#include "fixtures/damage.h"
#include "streamer/core/error.h"
#include "streamer/shard/dataset.h"
#include "tests/tools/care/cared_dataset.h"
#include "tools/care/add_job.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tests::CaredDataset;
using tests::files_below;

RemoveSummary remove(const fs::path& dataset, std::vector<std::string> names) {
  return remove_samples({.dataset = dataset, .names = std::move(names)}, tests::no_progress, {});
}

BOOST_AUTO_TEST_SUITE(remove_job)

BOOST_AUTO_TEST_CASE(what_is_left_is_as_if_the_files_had_never_been_there) {
  const CaredDataset dataset;
  const DatasetSplit train = Dataset::open(dataset.path()).split("train");
  const std::vector<std::string> names = {train.read_name(0), train.read_name(4), "cat/none.jpg"};
  const std::string validation = read_text_file(dataset.path() / "validation-00000.h5");
  const RemoveSummary summary = remove(dataset.path(), names);
  BOOST_TEST(summary.num_removed == 2u);
  BOOST_TEST(summary.not_found == std::vector<std::string>{"cat/none.jpg"},
             boost::test_tools::per_element());
  BOOST_TEST(summary.num_samples == 14u);
  BOOST_TEST(dataset.check(CheckReach::kDecoded).is_whole());
  // The shard that was not concerned is untouched, the other is gone.
  BOOST_TEST(read_text_file(dataset.path() / "validation-00000.h5") == validation);
  BOOST_TEST(!fs::exists(dataset.train()));

  fs::remove(dataset.source() / names[0]);
  fs::remove(dataset.source() / names[1]);
  tests::convert_quietly(dataset.source(), dataset.folder() / "fresh.ds");
  const Manifest expected = read_manifest(dataset.folder() / "fresh.ds");
  const Manifest found = read_manifest(dataset.path());
  BOOST_TEST(found.id == expected.id);
  BOOST_TEST((found.pixel_totals == expected.pixel_totals));
  BOOST_TEST((found.gray == expected.gray));
  BOOST_CHECK(found.aspect_histogram == expected.aspect_histogram);
  // Of one file alone it is not known, so it is no longer stated.
  BOOST_TEST(!found.sample_bytes.has_value());
  BOOST_TEST(summary.are_source_bytes_lost);
}

// The sums of what goes are not known to be right then, so all that is left is decoded.
BOOST_AUTO_TEST_CASE(without_sums_in_the_manifest_statistics_are_made_anew) {
  const CaredDataset dataset;
  Manifest manifest = read_manifest(dataset.path());
  manifest.pixel_totals.reset();
  write_manifest(dataset.path(), manifest);
  const std::string name = Dataset::open(dataset.path()).split("train").read_name(1);
  remove(dataset.path(), {name});
  fs::remove(dataset.source() / name);
  tests::convert_quietly(dataset.source(), dataset.folder() / "fresh.ds");
  BOOST_TEST(read_manifest(dataset.path()).id == read_manifest(dataset.folder() / "fresh.ds").id);
}

BOOST_AUTO_TEST_CASE(no_byte_of_a_removed_picture_stays_in_the_folder) {
  const CaredDataset dataset;
  const std::string name = Dataset::open(dataset.path()).split("train").read_name(2);
  const std::string picture = read_text_file(dataset.source() / name);
  const auto holds_it = [&] {
    for (const auto& [file, bytes] : files_below(dataset.path())) {
      if (bytes.find(picture) != std::string::npos || bytes.find(name) != std::string::npos) {
        return true;
      }
    }
    return false;
  };
  BOOST_TEST(holds_it());
  remove(dataset.path(), {name});
  BOOST_TEST(!holds_it());
}

// Two dogs of the same bytes, a third that is left out as a copy, a bad file, and a name with a comma.
BOOST_AUTO_TEST_CASE(the_lists_forget_what_is_removed_and_keep_the_rest) {
  const tests::TemporaryFolder folder;
  const fs::path photos = folder.path() / "photos";
  const fs::path path = folder.path() / "d.ds";
  tests::write_cats_and_dogs(photos, 4);
  tests::write_picture(photos / "dog/twin, a.jpg", {.seed = 70});
  tests::write_picture(photos / "dog/twin b.jpg", {.seed = 70});
  tests::write_picture(photos / "cat/pair1.jpg", {.seed = 71});
  tests::write_picture(photos / "cat/pair2.jpg", {.seed = 71});
  tests::write_file(photos / "dog/bad.jpg", "\xFF\xD8\xFF broken");
  tests::write_file(photos / "dog/worse.jpg", "\xFF\xD8\xFF broken");
  tests::convert_quietly(photos, path, 0);
  const auto text = [&](const char* file) { return read_text_file(path / file); };
  BOOST_TEST(text("duplicates.csv").find("twin") != std::string::npos);
  const RemoveSummary summary = remove(path, {"dog/twin, a.jpg", "dog/bad.jpg"});
  BOOST_TEST(summary.num_removed == 1u);
  BOOST_TEST(summary.num_rows_removed == 2u);
  for (const auto& [file, bytes] : files_below(path)) {
    BOOST_TEST(bytes.find("twin, a.jpg") == std::string::npos, file);
    BOOST_TEST(bytes.find("bad.jpg") == std::string::npos, file);
    BOOST_TEST(!file.ends_with(".tmp"), file);
  }
  BOOST_TEST(text("duplicates.csv").find("cat/pair2.jpg,duplicate_within_class") !=
             std::string::npos);
  BOOST_TEST(text("quarantine.csv").find("dog/worse.jpg,") != std::string::npos);
  BOOST_TEST(read_manifest(path).num_quarantined.value() == 1u);
  BOOST_TEST(summary.other_files.empty());
  // A name that only a list has.
  const RemoveSummary listed = remove(path, {"dog/worse.jpg"});
  BOOST_TEST(listed.num_removed == 0u);
  BOOST_TEST(listed.num_rows_removed == 1u);
  BOOST_TEST(listed.is_complete());
  BOOST_TEST(!fs::exists(path / "quarantine.csv"));
  BOOST_TEST(read_manifest(path).num_quarantined.value() == 0u);
}

BOOST_AUTO_TEST_CASE(the_row_of_a_copy_that_was_left_out_stays_without_the_name_of_the_other) {
  const tests::TemporaryFolder folder;
  const fs::path photos = folder.path() / "photos";
  tests::write_cats_and_dogs(photos, 4);
  tests::write_picture(photos / "dog/first.jpg", {.seed = 70});
  tests::write_picture(photos / "dog/second.jpg", {.seed = 70});
  convert::ConvertConfig config{.source = photos, .dataset = folder.path() / "d.ds"};
  config.split = {.validation_fraction = 0.0, .test_fraction = {}};
  config.policies.set("duplicate_within_class=quarantine");
  tests::SilentObserver observer;
  convert_folder(config, observer, {});
  BOOST_TEST(read_text_file(config.dataset / "quarantine.csv").find("as dog/first.jpg") !=
             std::string::npos);
  remove(config.dataset, {"dog/first.jpg"});
  const std::string csv = read_text_file(config.dataset / "quarantine.csv");
  BOOST_TEST(csv.find("dog/second.jpg,duplicate_within_class,") != std::string::npos);
  BOOST_TEST(csv.find("first") == std::string::npos);
  BOOST_TEST(read_manifest(config.dataset).num_quarantined.value() == 1u);
}

BOOST_AUTO_TEST_CASE(the_row_of_an_added_copy_forgets_the_name_too) {
  const tests::TemporaryFolder folder;
  const fs::path photos = folder.path() / "photos";
  tests::write_cats_and_dogs(photos, 4);
  convert::ConvertConfig config{.source = photos, .dataset = folder.path() / "d.ds"};
  config.split = {.validation_fraction = 0.0, .test_fraction = {}};
  config.policies.set("duplicate_within_class=quarantine");
  tests::SilentObserver observer;
  convert_folder(config, observer, {});
  tests::write_picture(folder.path() / "more/cat/second.jpg", {.seed = 2});  // cat/2.jpg
  add_to_dataset({.dataset = config.dataset, .source = folder.path() / "more"}, observer, {});
  BOOST_TEST(read_text_file(config.dataset / "quarantine.csv").find("as cat/2.jpg") !=
             std::string::npos);
  remove(config.dataset, {"cat/2.jpg"});
  for (const auto& [file, bytes] : files_below(config.dataset)) {
    BOOST_TEST(bytes.find("cat/2.jpg") == std::string::npos, file);
  }
}

BOOST_AUTO_TEST_CASE(a_split_may_go_whole_but_not_the_dataset) {
  const CaredDataset dataset;
  const Dataset open = Dataset::open(dataset.path());
  const std::vector<std::string> validation = open.split("validation").read_names();
  std::vector<std::string> all = open.split("train").read_names();
  all.insert(all.end(), validation.begin(), validation.end());
  const auto before = files_below(dataset.path());
  BOOST_CHECK_EXCEPTION(remove(dataset.path(), all), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument && error.hint().starts_with("rm -r ");
  });
  BOOST_TEST((files_below(dataset.path()) == before));
  remove(dataset.path(), validation);
  BOOST_TEST(read_manifest(dataset.path()).splits.size() == 1u);
  BOOST_TEST(dataset.check().is_whole());
}

BOOST_AUTO_TEST_CASE(progress_is_of_the_bytes_that_are_written_anew) {
  const CaredDataset dataset;
  const std::uint64_t train_bytes = fs::file_size(dataset.train());
  const std::string name = Dataset::open(dataset.path()).split("train").read_name(1);
  std::vector<CheckProgress> heard;
  remove_samples({.dataset = dataset.path(), .names = {name}},
                 [&](const CheckProgress& progress) { heard.push_back(progress); }, {});
  BOOST_REQUIRE(heard.size() == 1u);
  BOOST_TEST(heard[0].done_bytes == train_bytes);
  BOOST_TEST(heard[0].total_bytes == train_bytes);
  BOOST_TEST(heard[0].elapsed.count() > 0);
}

BOOST_AUTO_TEST_CASE(a_damaged_shard_is_not_written_anew_and_nothing_changes) {
  const CaredDataset dataset;
  const DatasetSplit train = Dataset::open(dataset.path()).split("train");
  const std::string name = train.read_name(1);
  fixtures::flip_byte(dataset.train(), train.record(0).offset_bytes + 9);
  const auto before = files_below(dataset.path());
  BOOST_CHECK_EXCEPTION(remove(dataset.path(), {name}), Error, [](const Error& error) {
    return error.code() == ErrorCode::kCorruptData && error.hint().starts_with("penstock repair ");
  });
  BOOST_TEST((files_below(dataset.path()) == before));
}

// As inspect --sample and quarantine.csv show them.
BOOST_AUTO_TEST_CASE(names_that_no_line_can_hold_are_taken_as_they_are_printed) {
  const tests::TemporaryFolder folder;
  const fs::path photos = folder.path() / "photos";
  const fs::path path = folder.path() / "d.ds";
  tests::write_cats_and_dogs(photos, 3);
  tests::write_picture(photos / "cat/line\nfeed.jpg", {.seed = 70});
  tests::write_picture(photos / "cat/back\\slash \xFF.jpg", {.seed = 71});
  tests::write_file(photos / "dog/bad\n.jpg", "\xFF\xD8\xFF broken");
  tests::convert_quietly(photos, path, 0);
  const RemoveSummary summary =
      remove(path, {"cat/line\\x0afeed.jpg", "cat/back\\\\slash \\xff.jpg", "dog/bad\\x0a.jpg"});
  BOOST_TEST(summary.num_removed == 2u);
  BOOST_TEST(summary.num_rows_removed == 1u);
  BOOST_TEST(summary.is_complete());
  for (const std::string& name : Dataset::open(path).split("train").read_names()) {
    BOOST_TEST(name.size() == std::string("cat/0.jpg").size(), name);
  }
  BOOST_TEST(!fs::exists(path / "quarantine.csv"));
}

// What an older version left, or somebody put there.
BOOST_AUTO_TEST_CASE(files_that_may_still_hold_what_was_asked_for_are_named_and_stay) {
  const CaredDataset dataset;
  const DatasetSplit train = Dataset::open(dataset.path()).split("train");
  const std::string name = train.read_name(1);
  fs::copy(dataset.train(), dataset.path() / "train-00007.h5");
  fs::copy(dataset.path() / "validation-00000.h5", dataset.path() / "validation-00007.h5");
  fs::copy(dataset.train(), dataset.path() / "train-00000.h5.damaged");
  tests::write_file(dataset.path() / "train-00009.h5.tmp", "half of a shard");
  tests::write_file(dataset.folder() / "photos.ds.adding/train-00000.h5", "of an addition");
  const RemoveSummary summary = remove(dataset.path(), {name});
  BOOST_TEST(summary.num_removed == 1u);
  BOOST_TEST(!summary.is_complete());
  // The copy of the validation split can be read, and has other names.
  const std::vector<std::string> expected = {"photos.ds.adding", "train-00000.h5.damaged",
                                             "train-00007.h5", "train-00009.h5.tmp"};
  BOOST_TEST(summary.other_files == expected, boost::test_tools::per_element());
  for (const std::string& file : expected) {
    BOOST_TEST((fs::exists(dataset.path() / file) || fs::exists(dataset.folder() / file)));
  }
}

// By the manifest, which says so.
BOOST_AUTO_TEST_CASE(a_shard_for_which_there_is_no_room_is_refused_with_the_place_to_free) {
  const CaredDataset dataset;
  const std::string name = Dataset::open(dataset.path()).split("train").read_name(0);
  Manifest manifest = read_manifest(dataset.path());
  manifest.splits.at(0).shards.at(0).size_bytes = 1ull << 60;
  write_manifest(dataset.path(), manifest);
  BOOST_CHECK_EXCEPTION(remove(dataset.path(), {name}), Error, [&](const Error& error) {
    return error.code() == ErrorCode::kIo &&
           std::string(error.what()).starts_with("disk space: " + dataset.path().string() + ": ") &&
           error.hint() == "free some there, then the same command again";
  });
  BOOST_TEST(!fs::exists(dataset.path() / "unfinished_change.json"));
}

BOOST_AUTO_TEST_CASE(a_copy_beside_the_dataset_is_named_however_the_dataset_is_typed) {
  const CaredDataset dataset;
  const std::vector<std::string> names = Dataset::open(dataset.path()).split("train").read_names();
  fs::copy(dataset.path(), dataset.folder() / "photos.ds.adding");
  fs::create_directory_symlink("photos.ds", dataset.folder() / "link");
  std::size_t next = 0;
  for (const char* typed : {"photos.ds", "photos.ds/", "photos.ds/.", "link", "link/."}) {
    BOOST_TEST_CONTEXT(typed) {
      const RemoveSummary summary = remove(dataset.folder() / typed, {names.at(next++)});
      BOOST_TEST(summary.num_removed == 1u);
      BOOST_TEST(!summary.is_complete());
      BOOST_TEST(summary.other_files == std::vector<std::string>{"photos.ds.adding"},
                 boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::care
