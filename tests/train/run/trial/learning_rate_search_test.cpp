#include "train/run/trial/learning_rate_search.h"

#include <boost/test/unit_test.hpp>

#include <cmath>

#include "streamer/core/error.h"
#include "tests/train/run/tiny_run.h"

namespace penstock::train {
namespace {

using tests::TinyRun;

BOOST_FIXTURE_TEST_SUITE(learning_rate_search, TinyRun)

// 25 steps are two passes of ten and a half: the search goes on over their ends.
BOOST_AUTO_TEST_CASE(rates_rise_from_step_to_step_and_nothing_is_left_behind) {
  const LrFinderConfig finder{.low = 1e-6, .high = 1e-2, .num_steps = 25};
  std::uint32_t told = 0;
  const LearningRateSearch found = search_learning_rate(
      config(), finder, [&](std::uint32_t num_steps) { told = num_steps; }, {});
  BOOST_REQUIRE(found.points.size() == 25u);
  BOOST_TEST(told == 25u);
  for (std::size_t i = 0; i < found.points.size(); ++i) {
    const double expected = 1e-6 * std::pow(1e4, static_cast<double>(i) / 24);
    BOOST_TEST(found.points[i].learning_rate == expected, boost::test_tools::tolerance(1e-9));
  }
  BOOST_TEST(!std::filesystem::exists(out));
}

// Cats and dogs differ in colour, which one layer learns within a few steps: the loss falls, and then it rises
// beyond what it was. A rate of the fall is between the two ends.
BOOST_AUTO_TEST_CASE(a_loss_that_falls_and_rises_has_a_suggestion) {
  const LearningRateSearch found =
      search_learning_rate(config(), {.low = 1e-6, .high = 1e3, .num_steps = 60}, {}, {});
  BOOST_REQUIRE(found.suggested.has_value());
  const LrFinderPoint& point = found.points.at(*found.suggested);
  BOOST_TEST(found.learning_rate().value() == point.learning_rate);
  BOOST_TEST(point.smoothed_loss < found.points.front().smoothed_loss);
  BOOST_TEST(*found.suggested + 1 < found.points.size());
}

// Weights of a rate of 1e30 are no numbers after a step or two.
BOOST_AUTO_TEST_CASE(a_search_ends_where_the_loss_is_no_number) {
  const LearningRateSearch found =
      search_learning_rate(config(), {.low = 1e-3, .high = 1e30, .num_steps = 20}, {}, {});
  BOOST_TEST(found.points.size() < 20u);
  BOOST_TEST(found.num_steps == 20u);
}

BOOST_AUTO_TEST_CASE(a_search_can_be_stopped) {
  const auto stop_at_third = [&](std::uint32_t num_steps) {
    if (num_steps == 3) stop.request_stop();
  };
  BOOST_CHECK_EXCEPTION(search_learning_rate(config(), {}, stop_at_third, stop.get_token()), Error,
                        [](const Error& error) {
                          return error.code() == ErrorCode::kStopped &&
                                 std::string(error.what()) ==
                                     "train: stopped after 3 steps of the search";
                        });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
