#include "train/loop/stream_cut.h"

#include <boost/test/unit_test.hpp>

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(stream_cut)

// By hand: a pass of 10 samples in steps of 4 is 4, 4, 2.
BOOST_AUTO_TEST_CASE(steps_go_on_over_the_ends_of_passes) {
  const StreamCut begin{.num_samples = 10, .samples_per_step = 4};
  const std::uint64_t expected[] = {0, 4, 8, 10, 14, 18, 20, 24};
  for (std::uint64_t num_steps = 0; num_steps < 8; ++num_steps) {
    BOOST_TEST(samples_of_steps(begin, num_steps) == expected[num_steps]);
  }
  const StreamCut late{.num_samples = 10, .samples_per_step = 4, .num_taken = 8};
  BOOST_TEST(samples_of_steps(late, 1) == 2u);
  BOOST_TEST(samples_of_steps(late, 2) == 6u);
  BOOST_TEST(samples_of_steps(late, 4) == 12u);
  BOOST_TEST(samples_of_steps(late, 5) == 16u);
}

BOOST_AUTO_TEST_CASE(whole_passes_have_no_shorter_step) {
  const StreamCut cut{.num_samples = 8, .samples_per_step = 4, .num_taken = 4};
  BOOST_TEST(samples_of_steps(cut, 1) == 4u);
  BOOST_TEST(samples_of_steps(cut, 1'000'000'000'000) == 4'000'000'000'000u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
