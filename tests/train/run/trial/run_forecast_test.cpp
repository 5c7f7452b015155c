#include "train/run/trial/run_forecast.h"

#include <boost/test/unit_test.hpp>

namespace penstock::train {
namespace {

namespace tt = boost::test_tools;

// Three epochs of ten steps, of which fourteen are done.
RunAhead in_the_second_epoch() {
  return {.num_epochs = 3,
          .steps_per_epoch = 10,
          .num_steps_done = 14,
          .samples_per_step = 7.5,
          .num_validation_samples = 50};
}

BOOST_AUTO_TEST_SUITE(run_forecast)

BOOST_AUTO_TEST_CASE(steps_ahead_are_those_not_done) {
  const RunAhead ahead = in_the_second_epoch();
  BOOST_TEST(ahead.num_steps() == 16u);
  BOOST_TEST(ahead.num_steps_of(0, 1) == 0u);
  BOOST_TEST(ahead.num_steps_of(1, 2) == 6u);
  BOOST_TEST(ahead.num_steps_of(2, 9) == 10u);  // the run ends with its third epoch
}

BOOST_AUTO_TEST_CASE(validations_ahead_are_those_of_epochs_and_those_within) {
  RunAhead ahead = in_the_second_epoch();
  BOOST_TEST(ahead.num_validations() == 2u);  // after steps 20 and 30
  ahead.validate_every_steps = 4;             // 16, 24, 28; 20 is the epoch's own
  BOOST_TEST(ahead.num_validations() == 5u);
  ahead.validate_every_steps = 10;
  BOOST_TEST(ahead.num_validations() == 2u);
  ahead.num_validation_samples = 0;
  BOOST_TEST(ahead.num_validations() == 0u);
}

BOOST_AUTO_TEST_CASE(a_validation_that_was_cut_off_comes_again) {
  RunAhead ahead = in_the_second_epoch();
  ahead.num_steps_done = 30;
  BOOST_TEST(ahead.num_validations() == 0u);
  ahead.is_validation_left = true;
  BOOST_TEST(ahead.num_validations() == 1u);
  BOOST_TEST(ahead.num_steps() == 0u);
}

BOOST_AUTO_TEST_CASE(the_time_is_that_of_setup_steps_and_validations) {
  RunForecast forecast{.ahead = in_the_second_epoch(),
                       .setup_s = 3,
                       .stages = {{.first_epoch = 0, .num_steps = 6, .train_s = 4},
                                  {.first_epoch = 2, .num_steps = 10, .train_s = 8}},
                       .validation = {.num_batches = 1, .num_samples = 20, .elapsed_s = 0.5}};
  BOOST_TEST(forecast.train_s() == 12, tt::tolerance(1e-12));
  BOOST_TEST(forecast.validation_s() == 2.5, tt::tolerance(1e-12));  // 100 samples at 40 a second
  BOOST_TEST(forecast.total_s() == 17.5, tt::tolerance(1e-12));
  BOOST_TEST(!forecast.is_cut_by_max_time());
  forecast.max_s = 18;
  BOOST_TEST(!forecast.is_cut_by_max_time());
  forecast.max_s = 17;
  BOOST_TEST(forecast.is_cut_by_max_time());
}

BOOST_AUTO_TEST_CASE(a_pass_that_was_not_timed_takes_no_time) {
  BOOST_TEST(TimedPass{}.seconds_for(100) == 0);
  BOOST_TEST(TimedPass{}.images_per_s() == 0);
  BOOST_TEST(TimedPass{}.waiting_share() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
