#include "train/optim/nan_guard.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(nan_guard)

BOOST_AUTO_TEST_CASE(only_steps_in_a_row_end_the_run) {
  const NanGuardConfig config{.max_in_a_row = 2};
  NanGuardState state;
  state = after_step(state, StepOutcome::kNotFinite);
  BOOST_TEST(!should_stop(config, state));
  state = after_step(state, StepOutcome::kFinite);
  state = after_step(state, StepOutcome::kNotFinite);
  BOOST_TEST(!should_stop(config, state));
  state = after_step(state, StepOutcome::kNotFinite);
  BOOST_TEST(should_stop(config, state));
  BOOST_TEST((state == NanGuardState{.num_in_a_row = 2, .num_skipped = 3}));
}

BOOST_AUTO_TEST_CASE(a_good_run_is_never_stopped) {
  BOOST_TEST(!should_stop({.max_in_a_row = 1}, after_step({}, StepOutcome::kFinite)));
}

BOOST_AUTO_TEST_CASE(the_reason_names_the_step_and_the_rate) {
  BOOST_TEST(nan_guard_reason({.num_in_a_row = 10, .num_skipped = 12}, 341, 0.1) ==
             "the loss or a gradient was not finite in 10 steps in a row (12 in all), the last of "
             "them step 341 at learning rate 0.1");
  BOOST_TEST(nan_guard_reason({.num_in_a_row = 1, .num_skipped = 1}, 0, 3) ==
             "the loss or a gradient was not finite in 1 step (1 in all), the last of them step 0 "
             "at learning rate 3");
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named) {
  BOOST_CHECK_EXCEPTION(NanGuardConfig{.max_in_a_row = 0}.validate(), Error,
                        [](const Error& error) {
                          return std::string(error.what()) ==
                                 "nan_guard: max_in_a_row: expected 1 to 1000000, found 0";
                        });
  BOOST_CHECK_NO_THROW(NanGuardConfig{}.validate());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
