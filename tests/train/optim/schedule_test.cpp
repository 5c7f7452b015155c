#include "train/optim/schedule.h"

#include <boost/test/unit_test.hpp>

#include <limits>

#include "streamer/core/error.h"
#include "train/optim/sgd_config.h"

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(schedule)

// Source: OneCycleLR._annealing_cos and get_lr of pytorch/torch/optim/lr_scheduler.py, restated in
// Python (float64) and printed with repr; two phases that end at pct * total - 1 and total - 1.
BOOST_AUTO_TEST_CASE(one_cycle_follows_the_published_sequence) {
  struct Case {
    std::uint64_t step_idx, num_steps;
    double peak, warmup, expected;
  };
  constexpr Case kCases[] = {
      {0, 10, 0.1, 0.2, 0.0040000000000000036},
      {1, 10, 0.1, 0.2, 0.1},
      {2, 10, 0.1, 0.2, 0.09619399184965784},
      {5, 10, 0.1, 0.2, 0.0500002},
      {8, 10, 0.1, 0.2, 0.0038064081503421656},
      {9, 10, 0.1, 0.2, 4e-07},
      {1, 100, 0.1, 0.2, 0.004654657436669332},
      {20, 100, 0.1, 0.2, 0.09996145196622891},
      {50, 100, 0.1, 0.2, 0.06730598363046324},
      {98, 100, 0.1, 0.2, 3.89480337711031e-05},
      {1, 7, 1.0, 0.3, 0.9805566273349586},
      {3, 7, 1.0, 0.3, 0.6726838364805451},
      {6, 7, 1.0, 0.3, 4e-06},
      {0, 3, 0.5, 0.2, 0.4665064849207059},
      {1, 3, 0.5, 0.2, 0.1852964975434149},
      {2, 3, 0.5, 0.2, 2e-06},
  };
  for (const Case& c : kCases) {
    const ScheduleConfig config{.warmup_fraction = c.warmup};
    BOOST_TEST_CONTEXT("step " << c.step_idx << " of " << c.num_steps) {
      BOOST_TEST(learning_rate_at(config, c.peak, {c.step_idx, c.num_steps}) == c.expected,
                 boost::test_tools::tolerance(1e-12));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_warm_up_of_one_step_starts_at_the_peak) {
  const ScheduleConfig config{.warmup_fraction = 0.5};
  BOOST_TEST(learning_rate_at(config, 0.1, {0, 2}) == 0.1);
}

BOOST_AUTO_TEST_CASE(constant_stays_at_the_peak) {
  const ScheduleConfig config{.kind = ScheduleKind::kConstant};
  for (const std::uint64_t step : {0, 1, 99}) {
    BOOST_TEST(learning_rate_at(config, 0.25, {step, 100}) == 0.25);
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_schedule_is_refused_with_those_there_are) {
  BOOST_CHECK_EXCEPTION(parse_schedule("one-cycle"), Error, [](const Error& error) {
    return std::string(error.what()) ==
           "schedule: expected constant or one_cycle, found \"one-cycle\"";
  });
  BOOST_TEST((parse_schedule("one_cycle") == ScheduleKind::kOneCycle));
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_CHECK_EXCEPTION(SgdConfig{.learning_rate = nan}.validate(), Error, [](const Error& error) {
    return error.hint() == "learning_rate = 0.1" &&
           std::string(error.what()) ==
               "sgd: learning_rate: expected a finite number above 0, found nan";
  });
  BOOST_CHECK_EXCEPTION(ScheduleConfig{.div_factor = 0.5}.validate(), Error,
                        [](const Error& error) {
                          return error.hint() == "div_factor = 25" &&
                                 std::string(error.what()) ==
                                     "schedule: div_factor: expected a finite number, 1 or more, "
                                     "found 0.5";
                        });
  BOOST_CHECK_THROW(SgdConfig{.learning_rate = 0}.validate(), Error);
  BOOST_CHECK_THROW(SgdConfig{.momentum = 1}.validate(), Error);
  BOOST_CHECK_THROW(SgdConfig{.weight_decay = -1e-9}.validate(), Error);
  BOOST_CHECK_THROW(ScheduleConfig{.warmup_fraction = 1}.validate(), Error);
  BOOST_CHECK_THROW(ScheduleConfig{.div_factor = 0.5}.validate(), Error);
  BOOST_CHECK_THROW(ScheduleConfig{.final_div_factor = nan}.validate(), Error);
  BOOST_CHECK_NO_THROW(SgdConfig{}.validate());
  BOOST_CHECK_NO_THROW(ScheduleConfig{}.validate());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
