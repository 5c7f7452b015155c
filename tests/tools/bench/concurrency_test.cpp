#include "tools/bench/concurrency.h"

#include <boost/test/unit_test.hpp>

namespace penstock::tools::bench {
namespace {

Candidate candidate(std::uint32_t num_readers, double low, double median) {
  return {.threads = {.num_readers = num_readers, .num_workers = 1, .num_slots = 4},
          .samples_per_s = {},
          .ratio = {.median = median, .low = low, .high = median + 1}};
}

BOOST_AUTO_TEST_SUITE(concurrency)

BOOST_AUTO_TEST_CASE(without_a_wish_the_threads_and_slots_are_the_loaders_own) {
  const LoaderThreads none{.num_readers = 0, .num_workers = 0, .num_slots = 0};
  BOOST_CHECK(
      (threads_for(2, none) == LoaderThreads{.num_readers = 2, .num_workers = 2, .num_slots = 4}));
  const LoaderThreads wish{.num_readers = 3, .num_workers = 1, .num_slots = 6};
  BOOST_CHECK(threads_for(2, wish) == wish);
}

BOOST_AUTO_TEST_CASE(only_what_is_clearly_faster_in_every_round_is_recommended) {
  const LoaderThreads measured{.num_readers = 1, .num_workers = 1, .num_slots = 4};
  const auto readers = [&](std::vector<Candidate> others, std::uint32_t num_rounds = 3) {
    return recommended(others, measured, num_rounds).num_readers;
  };
  BOOST_TEST(readers({}) == 1u);
  BOOST_TEST(readers({candidate(2, 1.01, 1.02)}) == 1u);  // by 2 %
  BOOST_TEST(readers({candidate(2, 0.9, 1.5)}) == 1u);    // slower once
  BOOST_TEST(readers({candidate(2, 1.1, 1.2), candidate(3, 1.1, 1.4), candidate(4, 1.1, 1.3)}) ==
             3u);
  BOOST_TEST(readers({candidate(2, 1.1, 1.2)}, 2) == 1u);  // two rounds are too few
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools::bench
