#include "streamer/pipeline/loader_memory.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(loader_memory)

// By hand: with batches of 32 and one of four slots lent out, 96 places are in flight.
BOOST_AUTO_TEST_CASE(runs_are_short_enough_to_give_each_reader_two) {
  const auto max_samples = [](std::uint32_t num_readers) {
    return run_bounds({.num_readers = num_readers}, 1u << 20).max_samples;
  };
  BOOST_TEST(max_samples(1) == 16u);  // the setting
  BOOST_TEST(max_samples(3) == 16u);
  BOOST_TEST(max_samples(4) == 12u);
  BOOST_TEST(max_samples(8) == 6u);
  BOOST_TEST(max_samples(256) == 1u);
  BOOST_TEST(run_bounds({.num_readers = 1, .max_run_samples = 64}, 0).max_samples == 48u);
  const auto max_bytes = [](std::uint32_t num_readers) {
    return run_bounds({.num_readers = num_readers}, 960).max_bytes;
  };
  BOOST_TEST(max_bytes(1) == 240u);  // a quarter of the arena
  BOOST_TEST(max_bytes(2) == 240u);
  BOOST_TEST(max_bytes(8) == 60u);
}

BOOST_AUTO_TEST_CASE(what_is_left_and_what_is_needed_are_told_apart) {
  const MemoryBudget budget(1024);
  BOOST_CHECK_EXCEPTION(work_bytes({}, 1025, budget), Error, [](const Error& error) {
    return std::string(error.what()) ==
           "memory limit: samples in flight: expected at least 1025 B (the costliest sample of "
           "the split), found 1024 B left of 1.0 KiB";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
