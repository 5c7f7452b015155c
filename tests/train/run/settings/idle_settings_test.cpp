#include "train/run/settings/idle_settings.h"

#include <boost/test/unit_test.hpp>

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(idle_settings_suite)

BOOST_AUTO_TEST_CASE(a_setting_of_something_that_is_off_is_named) {
  RunConfig config;
  BOOST_TEST(idle_settings(config).empty());
  config.augment.cval = 200;
  config.augment.random_erasing_value = 3;
  config.augment.rand_augment_magnitude = 30;
  config.augment.random_resized_crop_scale = {.lo = 0.5, .hi = 0.6};
  const std::vector<std::string> expected = {
      "augment.random_resized_crop_scale [0.5, 0.6] does nothing: augment.random_resized_crop is "
      "off",
      "augment.random_erasing_value 3.0 does nothing: augment.random_erasing is 0",
      "augment.rand_augment_magnitude 30 does nothing: augment.auto_augment is not "
      "\"rand_augment\"",
      "augment.cval 200.0 does nothing: augment.fill_mode is not \"constant\""};
  BOOST_TEST(idle_settings(config) == expected, boost::test_tools::per_element());
  config.augment.fill_mode = augment::FillMode::kConstant;
  config.augment.random_erasing = 0.5;
  config.augment.auto_augment = augment::AutoAugment::kRandAugment;
  config.augment.random_resized_crop = true;
  BOOST_TEST(idle_settings(config).empty());
}

BOOST_AUTO_TEST_CASE(how_frozen_norms_are_does_nothing_where_nothing_is_frozen) {
  RunConfig config;
  config.freeze_norm = false;
  BOOST_TEST(idle_settings(config) ==
                 std::vector<std::string>{"freeze_norm false does nothing: nothing is frozen"},
             boost::test_tools::per_element());
  config.param_groups = {{.pattern = "head", .first_trainable_epoch = 1}};
  BOOST_TEST(idle_settings(config).empty());
  config.param_groups.clear();
  config.freeze = {"head"};
  BOOST_TEST(idle_settings(config).empty());
}

BOOST_AUTO_TEST_CASE(settings_of_another_optimizer_or_schedule_are_named) {
  RunConfig config;
  config.optimizer.beta1 = 0.5;
  config.schedule.power = 2;
  const std::vector<std::string> expected = {"beta1 0.5 does nothing: optimizer is \"sgd\"",
                                             "power 2.0 does nothing: schedule is \"one_cycle\""};
  BOOST_TEST(idle_settings(config) == expected, boost::test_tools::per_element());
  config.optimizer = OptimizerConfig::of(OptimizerKind::kAdamw);
  config.optimizer.beta1 = 0.5;
  config.schedule = {.kind = ScheduleKind::kPolynomial, .power = 2};
  BOOST_TEST(idle_settings(config).empty());
}

// torch.optim.SGD refuses the pair; here `nesterov` is on unless it is turned off.
BOOST_AUTO_TEST_CASE(nesterov_without_momentum_is_named) {
  RunConfig config;
  config.optimizer.momentum = 0;
  BOOST_TEST(idle_settings(config) ==
                 std::vector<std::string>{"nesterov true does nothing: momentum is 0"},
             boost::test_tools::per_element());
  config.optimizer.nesterov = false;
  BOOST_TEST(idle_settings(config).empty());
  config.optimizer =
      OptimizerConfig::of(OptimizerKind::kRmsprop);  // without momentum, and has no nesterov
  BOOST_TEST(idle_settings(config).empty());
}

BOOST_AUTO_TEST_CASE(a_warm_up_that_takes_the_whole_run_is_named) {
  RunConfig config;
  config.epochs = 2;
  config.schedule = {.kind = ScheduleKind::kConstant, .warmup_epochs = 5};
  BOOST_TEST(idle_settings(config) ==
                 std::vector<std::string>{"warmup_epochs 5 takes the whole run of 2 epochs: "
                                          "learning_rate 0.1 is never reached"},
             boost::test_tools::per_element());
  config.schedule.warmup_epochs = 1.5;
  BOOST_TEST(idle_settings(config).empty());
  config.schedule = {.kind = ScheduleKind::kCosine, .warmup_steps = 20};
  BOOST_TEST(idle_settings(config).empty());  // of a run of unknown length
  BOOST_TEST(idle_settings(config, 21).empty());
  BOOST_TEST(idle_settings(config, 20) ==
                 std::vector<std::string>{"warmup_steps 20 takes the whole run of 20 steps: "
                                          "learning_rate 0.1 is never reached"},
             boost::test_tools::per_element());
}

// Epochs count from 0: milestone 2 is the start of the third.
BOOST_AUTO_TEST_CASE(falls_of_the_rate_behind_the_end_of_the_run_are_named) {
  RunConfig config;
  config.epochs = 2;
  config.schedule = {.kind = ScheduleKind::kStep, .milestone_epochs = {1, 2, 30}};
  const std::vector<std::string> expected = {
      "milestone_epochs 2 does nothing: the run has 2 epochs",
      "milestone_epochs 30 does nothing: the run has 2 epochs"};
  BOOST_TEST(idle_settings(config) == expected, boost::test_tools::per_element());
  config.epochs = 31;
  BOOST_TEST(idle_settings(config).empty());
  config.schedule = {.kind = ScheduleKind::kStep, .step_epochs = 31};
  BOOST_TEST(idle_settings(config) ==
                 std::vector<std::string>{"schedule \"step\" never lowers the rate: step_epochs is "
                                          "31, the run has 31 epochs"},
             boost::test_tools::per_element());
  config.schedule.step_epochs = 30;
  BOOST_TEST(idle_settings(config).empty());
}

BOOST_AUTO_TEST_CASE(gray_has_neither_saturation_nor_hue) {
  RunConfig config;
  config.augment.saturation_range = {.lo = 0.5, .hi = 1.5};
  config.augment.hue_range = 0.1;
  BOOST_TEST(idle_settings(config).empty());
  config.color_mode = ColorMode::kGrayscale;
  BOOST_TEST(idle_settings(config).size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
