// Whole conversions of folders with pictures that look alike.
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "fixtures/copied_pictures.h"
#include "streamer/core/error.h"
#include "streamer/shard/dataset.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"
#include "tests/tools/convert/convert_listener.h"
#include "tests/tools/convert/restart/killed_conversion.h"
#include "tests/tools/copy_rows.h"
#include "tools/convert/convert_job.h"
#include "tools/convert/duplicate/look_hash.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;

struct Fixture {
  Fixture() {
    fixtures::write_near_pictures(source);
    config.source = source;
    config.dataset = folder.path() / "ds";
    config.near_duplicate_bits = kNearBits;
  }
  ConvertSummary convert() {
    tests::Listener observer;
    return convert_folder(config, observer, {});
  }
  // "path reason other_path" of duplicates.csv; distances are within the limit.
  std::set<std::string> rows() const {
    std::set<std::string> rows;
    for (const std::vector<std::string>& row : tests::copy_rows(config.dataset)) {
      BOOST_TEST(std::stoul(row[8]) <= *config.near_duplicate_bits);
      BOOST_TEST(row[9] == "kept");
      rows.insert(row[0] + " " + row[1] + " " + row[5]);
    }
    return rows;
  }
  static std::set<std::string> expected_rows() {
    std::set<std::string> rows;
    for (const fixtures::CopiedPicture& one : fixtures::near_pictures()) {
      rows.insert(one.path + " " + one.reason + " " + one.other_path);
    }
    return rows;
  }

  tests::TemporaryFolder folder;
  fs::path source = folder.path() / "photos";
  ConvertConfig config;
};

BOOST_FIXTURE_TEST_SUITE(near_duplicates, Fixture)

BOOST_AUTO_TEST_CASE(pictures_encoded_anew_or_resized_are_counted_and_listed_with_both_paths) {
  const ConvertSummary summary = convert();
  BOOST_TEST(rows() == expected_rows(), boost::test_tools::per_element());
  const Manifest manifest = read_manifest(config.dataset);
  BOOST_CHECK((manifest.near_duplicates == DuplicateCounts{3, 3, 3}));
  BOOST_CHECK((manifest.duplicates == DuplicateCounts{}));
  BOOST_TEST(manifest.conversion.at("near_duplicates") == std::to_string(kNearBits));
  BOOST_TEST(summary.reasons.num_kept(ReasonCode::kNearDuplicateAcrossSplits) == 3u);
  BOOST_TEST(!fs::exists(config.dataset / "journal.looks"));
}

BOOST_AUTO_TEST_CASE(without_being_asked_nothing_is_said_of_them) {
  config.near_duplicate_bits.reset();
  convert();
  BOOST_TEST(!fs::exists(config.dataset / "duplicates.csv"));
  const Manifest manifest = read_manifest(config.dataset);
  BOOST_TEST(!manifest.near_duplicates.has_value());
  BOOST_TEST(!manifest.conversion.contains("near_duplicates"));
}

BOOST_AUTO_TEST_CASE(copies_of_the_same_bytes_are_copies_and_not_alike) {
  fs::remove_all(source);
  fixtures::write_copies(source);
  BOOST_CHECK((convert().manifest.near_duplicates == DuplicateCounts{}));
}

BOOST_AUTO_TEST_CASE(the_result_is_the_same_for_any_number_of_jobs_and_however_it_was_killed) {
  config.shard_size_bytes = 1u << 20;
  const fs::path one = config.dataset;
  config.num_jobs = 1;
  convert();
  const auto expected = tests::contents(one);
  config.dataset = folder.path() / "other";
  config.num_jobs = 3;
  const tests::ChildResult killed =
      tests::convert_in_child(config, {.at_point = [](ConvertPoint point, std::uint64_t) {
                                if (point == ConvertPoint::kShardJournalled) tests::kill_self();
                              }});
  BOOST_TEST(killed.signal_number == SIGKILL);
  BOOST_TEST(convert().num_shards_kept > 0u);
  BOOST_CHECK(tests::contents(config.dataset) == expected);
}

BOOST_AUTO_TEST_CASE(a_conversion_begun_without_is_not_gone_on_with) {
  config.near_duplicate_bits.reset();
  const tests::ChildResult killed =
      tests::convert_in_child(config, {.at_point = [](ConvertPoint point, std::uint64_t) {
                                if (point == ConvertPoint::kShardJournalled) tests::kill_self();
                              }});
  BOOST_TEST(killed.signal_number == SIGKILL);
  config.near_duplicate_bits = 3;
  BOOST_CHECK_EXCEPTION(convert(), Error, [](const Error& error) {
    return tests::contains(error.what(), "near_duplicates: nothing before, now 3");
  });
}

BOOST_AUTO_TEST_CASE(distances_out_of_range_and_pictures_that_are_not_decoded_are_refused) {
  config.near_duplicate_bits = kMaxNearBits + 1;
  BOOST_CHECK_EXCEPTION(config.validate(), Error, [](const Error& error) {
    return tests::contains(error.what(), "near_duplicates: expected 0 to 7, found 8");
  });
  config.near_duplicate_bits = 0;
  config.depth = CheckDepth::kHeader;
  BOOST_CHECK_EXCEPTION(config.validate(), Error, [](const Error& error) {
    return tests::contains(error.what(), "without near_duplicates") && !error.hint().empty();
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
