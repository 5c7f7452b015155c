// A conversion that is killed with SIGKILL is gone on with by the same command: whatever the moment,
// the dataset is the one of an unbroken run, byte for byte, and no finished shard is made again.
#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <random>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tests/tools/convert/restart/killed_conversion.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;
using convert::ConvertPoint;

// Once more, until it is done.
void go_on(const RestartPlace& place, std::uint64_t num_journalled) {
  BOOST_TEST(!fs::exists(place.config.dataset));
  const ChildResult rest = convert_in_child(place.config);
  BOOST_REQUIRE_MESSAGE(rest.is_done, rest.what);
  BOOST_TEST(rest.num_begun == place.num_shards - num_journalled);
}

void check_whole(const RestartPlace& place) {
  BOOST_CHECK(contents(place.config.dataset) == place.expected);
  BOOST_TEST(!fs::exists(place.partial()));
  fs::remove_all(place.config.dataset);
}

BOOST_FIXTURE_TEST_SUITE(kill, RestartPlace)

BOOST_AUTO_TEST_CASE(it_may_be_killed_at_any_named_point) {
  std::vector<std::pair<ConvertPoint, std::uint64_t>> places = {
      {ConvertPoint::kListed, 0},
      {ConvertPoint::kFolderMade, 0},
      {ConvertPoint::kJournalBegun, 0},
      {ConvertPoint::kShardsDone, 0},
      {ConvertPoint::kQuarantineWritten, 0},
      {ConvertPoint::kManifestWritten, 0}};
  for (const ConvertPoint point : {ConvertPoint::kShardBegun, ConvertPoint::kShardFilled,
                                   ConvertPoint::kShardPublished, ConvertPoint::kShardJournalled}) {
    for (const std::uint64_t which : {std::uint64_t{0}, std::uint64_t{1}, num_shards - 1}) {
      places.emplace_back(point, which);
    }
  }
  for (const auto& [point, which] : places) {
    BOOST_TEST_CONTEXT("point " << static_cast<int>(point) << ", the " << which << "th time") {
      const auto at = std::pair(point, which);
      const ChildResult killed =
          convert_in_child(config, {.at_point = [&](ConvertPoint here, std::uint64_t num_before) {
                             if (std::pair(here, num_before) == at) kill_self();
                           }});
      BOOST_REQUIRE(killed.signal_number == SIGKILL);
      go_on(*this, killed.num_journalled);
      check_whole(*this);
    }
  }
}

BOOST_AUTO_TEST_CASE(it_may_be_killed_at_any_picture) {
  for (const std::uint64_t which : {std::uint64_t{1}, num_files / 2, num_files}) {
    const ChildResult killed = convert_in_child(config, {.at_picture = [&](std::uint64_t num_done) {
                                                  if (num_done == which) kill_self();
                                                }});
    BOOST_REQUIRE(killed.signal_number == SIGKILL);
    go_on(*this, killed.num_journalled);
    check_whole(*this);
  }
}

BOOST_AUTO_TEST_CASE(once_it_is_published_it_is_whole) {
  const ChildResult killed =
      convert_in_child(config, {.at_point = [](ConvertPoint here, std::uint64_t) {
                         if (here == ConvertPoint::kPublished) kill_self();
                       }});
  BOOST_REQUIRE(killed.signal_number == SIGKILL);
  const ChildResult again = convert_in_child(config);
  BOOST_TEST(again.error_code == static_cast<int>(ErrorCode::kAlreadyExists));
  check_whole(*this);
}

// Each is killed again and again, at moments up to the length of a whole run, then left to end.
BOOST_AUTO_TEST_CASE(it_may_be_killed_at_any_moment) {
  const auto start = std::chrono::steady_clock::now();
  BOOST_REQUIRE(convert_in_child(config).is_done);
  const auto whole_us = std::chrono::duration_cast<std::chrono::microseconds>(
                            std::chrono::steady_clock::now() - start)
                            .count();
  check_whole(*this);
  const unsigned seed = std::random_device()();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::uint64_t> moment_us(1, static_cast<std::uint64_t>(whole_us));
  int num_killed = 0;
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST_CONTEXT("seed " << seed << ", kill " << i) {
      const ChildResult killed = convert_in_child(config, {}, moment_us(random));
      num_killed += killed.signal_number == SIGKILL ? 1 : 0;
      if (!fs::exists(config.dataset)) {
        // Killed between the line in the journal and its count: one may be more than was counted.
        const ChildResult rest = convert_in_child(config);
        BOOST_REQUIRE_MESSAGE(rest.is_done, rest.what);
        BOOST_TEST(rest.num_begun <= num_shards - killed.num_journalled);
      }
      check_whole(*this);
    }
  }
  BOOST_TEST(num_killed > 0);
}

BOOST_AUTO_TEST_CASE(other_jobs_go_on_where_it_was_killed) {
  for (const unsigned num_jobs : {1u, 3u, 8u}) {
    config.num_jobs = num_jobs;
    const ChildResult killed =
        convert_in_child(config, {.at_point = [](ConvertPoint here, std::uint64_t num_before) {
                           if (here == ConvertPoint::kShardFilled && num_before == 3) kill_self();
                         }});
    BOOST_REQUIRE(killed.signal_number == SIGKILL);
    config.num_jobs = 9 - num_jobs;
    go_on(*this, killed.num_journalled);
    check_whole(*this);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
