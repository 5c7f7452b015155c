#include "train/optim/gradient_norm.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <limits>

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(gradient_norm)

BOOST_AUTO_TEST_CASE(the_norm_is_that_of_all_tensors_together) {
  constexpr std::array<double, 3> kSums = {9, 16, 144};
  BOOST_TEST(global_norm(kSums.data(), 2) == 5);
  BOOST_TEST(global_norm(kSums.data(), 3) == 13);
  BOOST_TEST(global_norm(nullptr, 0) == 0);
}

BOOST_AUTO_TEST_CASE(only_a_norm_above_the_limit_is_clipped) {
  const OptimizerConfig config{.clip_norm = 2};
  // 2 / (4 + 1e-6), as clip_grad_norm_ of PyTorch 2.15 has it.
  BOOST_TEST(clip_scale(config, 4) == 0.49999987500003124, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(clip_scale(config, 1) == 1);
  BOOST_TEST(clip_scale(config, 0) == 1);
}

BOOST_AUTO_TEST_CASE(without_a_limit_no_norm_is_clipped) {
  BOOST_TEST(clip_scale(OptimizerConfig{}, 1e30) == 1);
}

BOOST_AUTO_TEST_CASE(the_largest_float32_gradients_have_a_finite_norm) {
  const double largest = std::numeric_limits<float>::max();
  const std::array<double, 2> sums = {largest * largest, largest * largest};
  BOOST_TEST(global_norm(sums.data(), 2) == 1.4142135623730951 * largest,
             boost::test_tools::tolerance(1e-15));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
