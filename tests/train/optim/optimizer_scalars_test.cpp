#include "train/optim/optimizer_scalars.h"

#include <boost/test/unit_test.hpp>

namespace penstock::train {
namespace {

namespace tt = boost::test_tools;

BOOST_AUTO_TEST_SUITE(optimizer_scalars)

// Python: 1 / (1 - 0.9 ** t), 1 / math.sqrt(1 - 0.999 ** t).
BOOST_AUTO_TEST_CASE(corrections_fade_with_the_steps_taken) {
  const OptimizerConfig config = OptimizerConfig::of(OptimizerKind::kAdam);
  const auto at = [&](std::uint64_t num) {
    return train::optimizer_scalars(config, {}, {.num_finite_steps = num});
  };
  BOOST_TEST(at(0).inv_correction1 == 10.000000000000002, tt::tolerance(1e-14));
  BOOST_TEST(at(0).inv_sqrt_correction2 == 31.622776601683782, tt::tolerance(1e-12));
  BOOST_TEST(at(9).inv_correction1 == 1.5353399327876296, tt::tolerance(1e-14));
  BOOST_TEST(at(9).inv_sqrt_correction2 == 10.022515922231536, tt::tolerance(1e-12));
  BOOST_TEST(at(100'000'000'000).inv_correction1 == 1);
  BOOST_TEST(at(100'000'000'000).inv_sqrt_correction2 == 1);
}

BOOST_AUTO_TEST_CASE(the_rate_is_the_schedules_times_the_groups) {
  const OptimizerScalars scalars = train::optimizer_scalars(
      {.clip_value = 2}, {.learning_rate_scale = 0.5, .weight_decay = 0.25, .l1 = 0.125},
      {.learning_rate = 3, .gradient_scale = 0.75});
  BOOST_TEST(scalars.learning_rate == 1.5);
  BOOST_TEST(scalars.weight_decay == 0.25);
  BOOST_TEST(scalars.l1 == 0.125);
  BOOST_TEST(scalars.clip_value == 2);
  BOOST_TEST(scalars.gradient_scale == 0.75);
}

BOOST_AUTO_TEST_CASE(the_emas_decay_rises_to_its_value_where_it_warms_up) {
  const auto at = [](const OptimizerConfig& config, std::uint64_t num) {
    return train::optimizer_scalars(config, {}, {.num_finite_steps = num}).ema_decay;
  };
  const OptimizerConfig warming{.ema_decay = 0.9, .ema_warmup = true};
  BOOST_TEST(at(warming, 0) == 2.0 / 11);
  BOOST_TEST(at(warming, 1) == 3.0 / 12);
  BOOST_TEST(at(warming, 70) == 72.0 / 81);  // 0.888...
  BOOST_TEST(at(warming, 80) == 0.9);        // (1 + 81) / (10 + 81) is 0.901
  BOOST_TEST(at({.ema_decay = 0.9}, 0) == 0.9);
  BOOST_TEST(at({}, 5) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
