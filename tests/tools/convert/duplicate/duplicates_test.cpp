// Whole conversions of folders with copies in them.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "fixtures/copied_pictures.h"
#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/dataset.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/convert_listener.h"
#include "tests/tools/copy_rows.h"
#include "tests/tools/folder_contents.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/convert_job.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;

struct Fixture {
  Fixture() {
    fixtures::write_copies(source);
    config.source = source;
    config.dataset = folder.path() / "ds";
  }
  ConvertSummary convert() {
    tests::Listener observer;
    return convert_folder(config, observer, {});
  }
  // "path reason other_path fate" of duplicates.csv.
  std::set<std::string> rows() const {
    std::set<std::string> rows;
    for (const std::vector<std::string>& row : tests::copy_rows(config.dataset)) {
      BOOST_TEST(row[4] == std::to_string(fs::file_size(source / row[0])));
      rows.insert(row[0] + " " + row[1] + " " + row[5] + " " + row[9]);
    }
    return rows;
  }
  static std::set<std::string> expected_rows(const std::string& quarantined_reason = "") {
    std::set<std::string> rows;
    for (const fixtures::CopiedPicture& copy : fixtures::copied_pictures()) {
      rows.insert(copy.path + " " + copy.reason + " " + copy.other_path +
                  (copy.reason == quarantined_reason ? " quarantined" : " kept"));
    }
    return rows;
  }
  std::map<std::string, std::string> files() const { return tests::contents(config.dataset); }

  tests::TemporaryFolder folder;
  fs::path source = folder.path() / "photos";
  ConvertConfig config;
};

BOOST_FIXTURE_TEST_SUITE(duplicates, Fixture)

BOOST_AUTO_TEST_CASE(copies_are_kept_counted_and_listed_with_both_paths) {
  for (const CheckDepth depth : {CheckDepth::kDecode, CheckDepth::kHeader}) {
    config.depth = depth;
    config.existing = ExistingTarget::kReplace;
    const ConvertSummary summary = convert();
    BOOST_CHECK(rows() == expected_rows());
    BOOST_CHECK((read_manifest(config.dataset).duplicates == DuplicateCounts{3, 3, 3}));
    BOOST_TEST(summary.reasons.num_kept(ReasonCode::kDuplicateAcrossSplits) == 3u);
    BOOST_TEST(summary.manifest.num_quarantined.value() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(without_copies_there_is_no_list) {
  fs::remove_all(source);
  tests::write_cats_and_dogs(source, 4);
  BOOST_CHECK((convert().manifest.duplicates == DuplicateCounts{}));
  BOOST_TEST(!fs::exists(config.dataset / "duplicates.csv"));
}

BOOST_AUTO_TEST_CASE(each_reason_can_be_quarantined_by_itself) {
  for (const char* reason :
       {"duplicate_within_class", "duplicate_across_classes", "duplicate_across_splits"}) {
    config.policies = {};
    config.policies.set(std::string(reason) + "=quarantine");
    config.existing = ExistingTarget::kReplace;
    const ConvertSummary summary = convert();
    BOOST_TEST(summary.manifest.num_quarantined.value() == 3u, reason);
    BOOST_CHECK_MESSAGE(rows() == expected_rows(reason), reason);
    const std::string quarantine = read_text_file(config.dataset / "quarantine.csv");
    for (const fixtures::CopiedPicture& copy : fixtures::copied_pictures()) {
      const std::string row = copy.path + "," + copy.reason + "," +
                              std::to_string(fs::file_size(source / copy.path)) +
                              ",the same bytes as " + copy.other_path + "\n";
      BOOST_TEST((quarantine.find(row) != std::string::npos) == (copy.reason == reason), row);
    }
  }
}

// As if the copies had never been there.
BOOST_AUTO_TEST_CASE(what_is_left_are_the_shards_of_the_source_without_the_copies) {
  config.policies.set("duplicate_across_splits=quarantine");
  convert();
  const std::vector<std::string> names = Dataset::open(config.dataset).split("train").read_names();
  for (const fixtures::CopiedPicture& copy : fixtures::copied_pictures()) {
    if (copy.reason == "duplicate_across_splits") fs::remove(source / copy.path);
  }
  config.policies = {};
  config.dataset = folder.path() / "without";
  convert();
  BOOST_TEST(Dataset::open(config.dataset).split("train").read_names() == names,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_result_is_the_same_for_any_number_of_jobs) {
  config.policies.set("duplicate_across_splits=quarantine");
  config.num_jobs = 1;
  convert();
  const auto expected = files();
  config.existing = ExistingTarget::kReplace;
  for (const unsigned num_jobs : {2u, 5u}) {
    config.num_jobs = num_jobs;
    convert();
    BOOST_CHECK(files() == expected);
  }
}

BOOST_AUTO_TEST_CASE(stop_names_both) {
  config.policies.set("duplicate_across_splits=stop");
  BOOST_CHECK_EXCEPTION(convert(), Error, [](const Error& error) {
    const std::string what = error.what();
    return error.code() == ErrorCode::kTooManyBad &&
           what.find("found it: the same bytes as test/dog/splits-") != std::string::npos;
  });
  BOOST_TEST(!fs::exists(config.dataset));
}

BOOST_AUTO_TEST_CASE(damaged_files_of_the_same_bytes_are_damaged_and_no_copies) {
  for (const char* name : {"train/cat/1.jpg", "train/dog/2.jpg", "test/cat/3.jpg"}) {
    tests::write_file(source / name, "\xFF\xD8\xFF\xE0 and no more");
  }
  config.policies.set("duplicate_across_splits=quarantine");
  const ConvertSummary summary = convert();
  BOOST_TEST(summary.manifest.num_quarantined.value() == 6u);
  BOOST_TEST(summary.reasons.num_quarantined(ReasonCode::kDuplicateAcrossSplits) == 3u);
  BOOST_CHECK(rows() == expected_rows("duplicate_across_splits"));
}

// The first of two is quarantined for its name: then the other is no copy, and is not lost.
BOOST_AUTO_TEST_CASE(a_picture_that_goes_for_its_name_takes_no_copy_with_it) {
  const std::string bytes = read_text_file(source / "test/dog/splits-0.jpg");
  fs::remove(source / "test/dog/splits-0.jpg");
  tests::write_file(source / "test/dog/-splits.jpg", bytes);
  config.policies.set("dash_name=quarantine");
  config.policies.set("duplicate_across_splits=quarantine");
  const ConvertSummary summary = convert();
  BOOST_TEST(summary.reasons.num_quarantined(ReasonCode::kDashName) == 1u);
  BOOST_TEST(summary.reasons.num_quarantined(ReasonCode::kDuplicateAcrossSplits) == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
