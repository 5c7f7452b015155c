#include "train/optim/lr_finder.h"

#include <boost/test/unit_test.hpp>

#include <limits>

#include "streamer/core/error.h"
#include "tests/train/optim/optimizer_golden_file.h"

namespace penstock::train {
namespace {

namespace tt = boost::test_tools;
using tests::golden_case;
using tests::GoldenCase;
using tests::read_golden_cases;

LrFinderOutcome add_all(LrFinder& finder, const std::vector<double>& losses) {
  LrFinderOutcome outcome = LrFinderOutcome::kContinue;
  for (const double loss : losses) {
    BOOST_TEST_REQUIRE((outcome == LrFinderOutcome::kContinue));
    outcome = finder.add(loss);
  }
  return outcome;
}

BOOST_AUTO_TEST_SUITE(lr_finder)

/// Rates, smoothing, the fall and the suggestion as optimizer_goldens.py finds them with numpy.
void check_golden(const char* name) {
  const auto cases = read_golden_cases("schedule_goldens.txt");
  const GoldenCase& golden = golden_case(cases, name);
  LrFinder finder({.low = golden.number("low", 0),
                   .high = golden.number("high", 0),
                   .num_steps = static_cast<std::uint32_t>(golden.number("num_steps", 0)),
                   .smoothing = golden.number("smoothing", 0)});
  BOOST_TEST((add_all(finder, golden.row("losses")) == LrFinderOutcome::kFinished));
  BOOST_TEST_REQUIRE(finder.points().size() == golden.row("losses").size());
  for (std::size_t i = 0; i < finder.points().size(); ++i) {
    BOOST_TEST(finder.points()[i].learning_rate == golden.row("rates")[i], tt::tolerance(1e-13));
    BOOST_TEST(finder.learning_rate(static_cast<std::uint32_t>(i)) == golden.row("rates")[i],
               tt::tolerance(1e-13));
    BOOST_TEST(finder.points()[i].loss == golden.row("losses")[i]);
    BOOST_TEST(finder.points()[i].smoothed_loss == golden.row("smoothed")[i], tt::tolerance(1e-13));
  }
  const LrFinderFall fall = finder.fall();
  const std::vector<double>& expected = golden.row("fall");
  BOOST_TEST(fall.start_loss == expected[0], tt::tolerance(1e-12));
  BOOST_TEST(fall.noise == expected[1], tt::tolerance(1e-10));
  BOOST_TEST(fall.depth == expected[2], tt::tolerance(1e-12));
  BOOST_TEST(static_cast<double>(fall.bottom_idx) == golden.row("bottom")[0]);
  BOOST_TEST_REQUIRE(finder.suggested_point().has_value());
  BOOST_TEST(static_cast<double>(*finder.suggested_point()) == golden.row("suggested")[0]);
}

BOOST_AUTO_TEST_CASE(rates_smoothing_and_suggestion_are_those_of_numpy) {
  check_golden("lr_finder");
}

// Behind the blow-up the loss falls more steeply than ever, and below its first bottom.
BOOST_AUTO_TEST_CASE(a_dip_behind_a_blow_up_is_never_suggested) {
  check_golden("lr_finder_blown_up");
}

BOOST_AUTO_TEST_CASE(a_loss_far_above_its_best_ends_the_search) {
  LrFinder finder({.smoothing = 0});
  BOOST_TEST((add_all(finder, {2, 1, 4, 4.1}) == LrFinderOutcome::kDiverged));
  BOOST_TEST(finder.points().size() == 4u);
}

BOOST_AUTO_TEST_CASE(the_second_loss_may_be_far_above_the_first) {
  LrFinder finder({.smoothing = 0});
  BOOST_TEST((add_all(finder, {1, 9}) == LrFinderOutcome::kContinue));
}

BOOST_AUTO_TEST_CASE(a_loss_that_is_not_finite_ends_the_search_and_is_not_kept) {
  LrFinder finder({});
  BOOST_TEST((add_all(finder, {2, std::numeric_limits<double>::infinity()}) ==
              LrFinderOutcome::kDiverged));
  BOOST_TEST(finder.points().size() == 1u);
  LrFinder other({});
  BOOST_TEST((other.add(std::numeric_limits<double>::quiet_NaN()) == LrFinderOutcome::kDiverged));
}

BOOST_AUTO_TEST_CASE(a_loss_that_never_falls_suggests_nothing) {
  LrFinder rising({.num_steps = 10, .divergence_factor = 100});
  add_all(rising, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  BOOST_TEST(!rising.suggested_point().has_value());
  LrFinder flat({.num_steps = 10, .smoothing = 0});
  add_all(flat, std::vector<double>(10, 2.0));
  BOOST_TEST(!flat.suggested_point().has_value());
  LrFinder unused({});
  BOOST_TEST(!unused.suggested_point().has_value());
  BOOST_TEST(unused.fall().depth == 0.0);
}

// By hand: the first two of 20, 3 and 2, have mean 2.5 and deviation sqrt(0.5) = 0.707.
BOOST_AUTO_TEST_CASE(a_fall_that_is_smaller_than_the_noise_of_the_start_suggests_nothing) {
  LrFinder shallow({.num_steps = 20, .smoothing = 0});
  add_all(shallow, {3, 2, 2.4, 2.2, 2.0, 1.8, 1.8, 1.8});
  BOOST_TEST(shallow.fall().start_loss == 2.5);
  BOOST_TEST(shallow.fall().noise == 0.70710678, tt::tolerance(1e-8));
  BOOST_TEST(shallow.fall().depth == 0.7, tt::tolerance(1e-12));
  BOOST_TEST(!shallow.suggested_point().has_value());
  LrFinder clear({.num_steps = 20, .smoothing = 0});
  add_all(clear, {3, 2, 2.4, 2.2, 2.0, 1.8, 1.7, 1.7});
  BOOST_TEST(clear.suggested_point().value() == 5u);  // 1.8 is above 1.7 + 0.08, and the last so
}

// By hand: from 4 to 0 a tenth is 0.4. Of 0.3 at step 7 less is to come, of 0.5 at step 6 more.
BOOST_AUTO_TEST_CASE(the_last_point_with_a_tenth_of_the_fall_to_come_is_suggested) {
  LrFinder finder({.num_steps = 20, .smoothing = 0});
  add_all(finder, {4, 4, 3.5, 3, 2, 1, 0.5, 0.3, 0, 0.1});
  BOOST_TEST(finder.fall().bottom_idx == 8u);
  BOOST_TEST(finder.suggested_point().value() == 6u);
}

BOOST_AUTO_TEST_CASE(a_point_above_the_first_loss_is_never_suggested) {
  LrFinder sudden({.num_steps = 20, .smoothing = 0});
  add_all(sudden, {2, 2.4, 2.5, 2.5, 2.5, 0.5});
  BOOST_TEST(sudden.suggested_point().value() == 5u);
  // Below the mean of the start, 3, and not below the first loss.
  LrFinder lucky({.num_steps = 20, .smoothing = 0});
  add_all(lucky, {2.5, 3.5, 3, 2.6, 2.5, 2.5});
  BOOST_TEST(lucky.fall().depth == 0.0);
  BOOST_TEST(!lucky.suggested_point().has_value());
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named) {
  BOOST_CHECK_EXCEPTION(LrFinder({.low = 1, .high = 1}), Error, [](const Error& error) {
    return std::string(error.what()) ==
               "lr_finder: high: expected a finite number above low, found 1" &&
           error.hint() == "high = 10";
  });
  BOOST_CHECK_THROW(LrFinder({.low = 0}), Error);
  BOOST_CHECK_THROW(LrFinder({.num_steps = 9}), Error);
  BOOST_CHECK_THROW(LrFinder({.smoothing = 1}), Error);
  BOOST_CHECK_THROW(LrFinder({.divergence_factor = 1}), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
