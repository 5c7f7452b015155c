// The rules for fixed inputs; expected values by hand.
#include "streamer/pipeline/loader_depth.h"

#include <boost/test/unit_test.hpp>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(loader_depth)

constexpr std::uint64_t kKiB = 1u << 10;
constexpr std::uint64_t kMiB = 1u << 20;

BOOST_AUTO_TEST_CASE(threads_that_are_left_to_the_rule_are_as_many_as_the_cores) {
  const auto threads = [](const LoaderConfig& config, std::uint32_t num_cores) {
    const LoaderConfig ruled = with_ruled_threads(config, num_cores);
    return std::pair(ruled.num_readers, ruled.num_workers);
  };
  BOOST_CHECK(threads({}, 1) == std::pair(1u, 1u));
  BOOST_CHECK(threads({}, 2) == std::pair(2u, 2u));
  BOOST_CHECK(threads({}, 16) == std::pair(16u, 16u));
  BOOST_CHECK(threads({}, 200) == std::pair(64u, 64u));
  BOOST_CHECK(threads({.num_readers = 5}, 16) == std::pair(5u, 16u));
}

BOOST_AUTO_TEST_CASE(no_more_workers_than_cores_are_taken_whatever_was_asked_for) {
  const auto threads = [](std::uint32_t num_cores) {
    const LoaderConfig asked{.num_readers = 5, .num_workers = 3};
    const LoaderConfig ruled = with_ruled_threads(asked, num_cores);
    return std::pair(ruled.num_readers, ruled.num_workers);
  };
  BOOST_CHECK(threads(1) == std::pair(5u, 1u));
  BOOST_CHECK(threads(2) == std::pair(5u, 2u));
  BOOST_CHECK(threads(3) == std::pair(5u, 3u));
  BOOST_CHECK(threads(100) == std::pair(5u, 3u));
}

BOOST_AUTO_TEST_CASE(samples_in_flight_get_runs_for_every_thread_beside_the_costliest_sample) {
  const auto bytes = [](std::uint32_t num_readers, SampleCosts costs) {
    return ruled_work_bytes(
        {.num_readers = num_readers, .num_workers = num_readers, .max_run_samples = 16}, costs);
  };
  // Raw pictures of 32 x 32: runs of 16 of them take 4 x 51 KiB, the least is 16 MiB.
  BOOST_TEST(bytes(1, {.costliest = {.bytes = 6 * kKiB},
                       .mean_bytes = 6 * kKiB,
                       .mean_encoded_bytes = 3 * kKiB}) == 16 * kMiB);
  // 6 runs of 16 x 100 KiB stored, and 700 KiB for the one that is decoded.
  BOOST_TEST(bytes(2, {.costliest = {.bytes = 8 * kMiB},
                       .mean_bytes = 800 * kKiB,
                       .mean_encoded_bytes = 100 * kKiB}) == 8 * kMiB + 6 * 2300 * kKiB);
  // 16 x 400 KiB would pass 4 MiB.
  BOOST_TEST(bytes(8, {.costliest = {.bytes = 2 * kMiB},
                       .mean_bytes = 700 * kKiB,
                       .mean_encoded_bytes = 400 * kKiB}) == 2 * kMiB + 24 * 4 * kMiB);
  // A run holds one sample at least.
  const SampleCosts large{
      .costliest = {.bytes = 40 * kMiB}, .mean_bytes = 30 * kMiB, .mean_encoded_bytes = 6 * kMiB};
  BOOST_TEST(bytes(4, large) == 40 * kMiB + 12 * 30 * kMiB);
  // Of one reader and one worker too there are four.
  BOOST_TEST(bytes(1, large) == 40 * kMiB + 4 * 30 * kMiB);
}

BOOST_AUTO_TEST_CASE(long_runs_of_small_samples_get_memory_up_to_half_a_mebibyte) {
  const auto bytes = [](std::size_t encoded_bytes, std::size_t other_bytes) {
    return ruled_work_bytes({.num_readers = 20, .num_workers = 20},  // 60 runs
                            {.costliest = {.bytes = 0},
                             .mean_bytes = encoded_bytes + other_bytes,
                             .mean_encoded_bytes = encoded_bytes});
  };
  BOOST_TEST(bytes(3 * kKiB, 60 * kKiB) == 16 * kMiB);              // 64 and 60 KiB: 14.8 MiB
  BOOST_TEST(bytes(6 * kKiB, 60 * kKiB) == 60 * 444 * kKiB);        // 64
  BOOST_TEST(bytes(20 * kKiB, 60 * kKiB) == 60 * 512 * kKiB);       // 22.6
  BOOST_TEST(bytes(100 * kKiB, 700 * kKiB) == 60 * 2300 * kKiB);    // 16
  BOOST_TEST(bytes(1000 * kKiB, 2000 * kKiB) == 60 * 4096 * kKiB);  // 2.1
}

BOOST_AUTO_TEST_CASE(runs_as_long_as_the_rule_means_them_fit_into_what_it_gives) {
  for (const std::uint32_t num_readers : {1u, 2u, 7u, 64u}) {
    for (const std::size_t encoded_bytes : {3 * kKiB, 100 * kKiB, 3 * kMiB, 50 * kMiB}) {
      const LoaderConfig config{.num_readers = num_readers, .num_workers = 2};
      const SampleCosts costs{.costliest = {.bytes = 10 * encoded_bytes},
                              .mean_bytes = 5 * encoded_bytes,
                              .mean_encoded_bytes = encoded_bytes};
      const RunBounds bounds = run_bounds(config, ruled_work_bytes(config, costs));
      BOOST_TEST(bounds.max_bytes >= costs.mean_bytes);
      BOOST_TEST(bounds.max_bytes >= std::min((16 + 4) * encoded_bytes, 4 * kMiB));
    }
  }
}

// By hand: with batches of 32 and one of four slots lent out, 96 places are in flight.
BOOST_AUTO_TEST_CASE(runs_are_short_enough_to_give_each_thread_two) {
  const auto max_samples = [](std::uint32_t num_readers) {
    return run_bounds({.num_readers = num_readers}, 1u << 20).max_samples;
  };
  BOOST_TEST(max_samples(1) == 48u);
  BOOST_TEST(max_samples(3) == 16u);
  BOOST_TEST(max_samples(4) == 12u);
  BOOST_TEST(max_samples(8) == 6u);
  BOOST_TEST(max_samples(256) == 1u);
  BOOST_TEST(run_bounds({.num_readers = 1, .num_workers = 4}, 1u << 20).max_samples == 12u);
  BOOST_TEST(run_bounds({.num_readers = 1, .max_run_samples = 20}, 0).max_samples == 20u);
  const auto max_bytes = [](std::uint32_t num_readers) {
    return run_bounds({.num_readers = num_readers}, 960).max_bytes;
  };
  BOOST_TEST(max_bytes(1) == 240u);  // a quarter of the arena
  BOOST_TEST(max_bytes(2) == 240u);
  BOOST_TEST(max_bytes(8) == 60u);
  BOOST_TEST(run_bounds({.num_readers = 8, .num_workers = 4}, 960).max_bytes == 48u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
