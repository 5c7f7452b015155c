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

// numpy.geomspace, a loop in Python, numpy.gradient; a dozen roundings of 1e-16 apart, and pow().
BOOST_AUTO_TEST_CASE(rates_smoothing_and_steepest_point_are_those_of_numpy) {
  const auto cases = read_golden_cases("schedule_goldens.txt");
  const GoldenCase& golden = golden_case(cases, "lr_finder");
  LrFinder finder({.low = golden.number("low", 0),
                   .high = golden.number("high", 0),
                   .num_steps = static_cast<std::uint32_t>(golden.number("num_steps", 0)),
                   .smoothing = golden.number("smoothing", 0)});
  BOOST_TEST((add_all(finder, golden.row("losses")) == LrFinderOutcome::kFinished));
  BOOST_TEST_REQUIRE(finder.points().size() == 40u);
  for (std::size_t i = 0; i < finder.points().size(); ++i) {
    BOOST_TEST(finder.points()[i].learning_rate == golden.row("rates")[i], tt::tolerance(1e-13));
    BOOST_TEST(finder.learning_rate(static_cast<std::uint32_t>(i)) == golden.row("rates")[i],
               tt::tolerance(1e-13));
    BOOST_TEST(finder.points()[i].loss == golden.row("losses")[i]);
    BOOST_TEST(finder.points()[i].smoothed_loss == golden.row("smoothed")[i], tt::tolerance(1e-13));
  }
  BOOST_TEST_REQUIRE(finder.steepest_point().has_value());
  BOOST_TEST(static_cast<double>(*finder.steepest_point()) == golden.row("steepest")[0]);
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
  BOOST_TEST(!rising.steepest_point().has_value());
  LrFinder flat({.num_steps = 10, .smoothing = 0});
  add_all(flat, std::vector<double>(10, 2.0));
  BOOST_TEST(!flat.steepest_point().has_value());
  LrFinder unused({});
  BOOST_TEST(!unused.steepest_point().has_value());
}

BOOST_AUTO_TEST_CASE(the_first_tenth_of_the_rates_is_never_suggested) {
  LrFinder finder({.num_steps = 20, .smoothing = 0});
  // The steepest is step 1, where it falls from 9 to 4 around it; behind that step 2, from 8 to 4.
  add_all(finder, {9, 8, 4, 4, 4, 4, 3.5, 3.5, 3.5, 3.5});
  BOOST_TEST(finder.steepest_point().value() == 2u);
}

BOOST_AUTO_TEST_CASE(points_become_csv) {
  LrFinder finder({.low = 0.5, .high = 256, .num_steps = 10, .smoothing = 0});
  add_all(finder, {2, 1.5});
  BOOST_TEST(lr_finder_csv(finder.points()) ==
             "learning_rate,loss,smoothed_loss\n0.5,2,2\n1,1.5,1.5\n");
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
