#include "train/optim/gradient_rule.h"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(gradient_rule)

BOOST_AUTO_TEST_CASE(a_gradient_is_scaled_then_clipped_then_penalised) {
  const GradientStep<double> step{.scale = 0.5, .clip_value = 1, .l1 = 0.25};
  BOOST_TEST(shaped_gradient(6.0, 2.0, step) == 1.25);
  BOOST_TEST(shaped_gradient(-6.0, 2.0, step) == -0.75);
  BOOST_TEST(shaped_gradient(6.0, -2.0, step) == 0.75);
  BOOST_TEST(shaped_gradient(1.0, 2.0, step) == 0.75);
}

BOOST_AUTO_TEST_CASE(a_weight_of_0_has_no_l1_penalty) {
  BOOST_TEST(shaped_gradient(0.0, 0.0, GradientStep<double>{.l1 = 0.25}) == 0);
}

BOOST_AUTO_TEST_CASE(without_a_limit_nothing_is_clipped) {
  BOOST_TEST(shaped_gradient(1e30f, 0.0f, GradientStep<float>{}) == 1e30f);
}

// Clamping to a bound would hide that the step went wrong.
BOOST_AUTO_TEST_CASE(nan_is_not_clipped_away) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(std::isnan(shaped_gradient(nan, 1.0, GradientStep<double>{.clip_value = 1})));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
