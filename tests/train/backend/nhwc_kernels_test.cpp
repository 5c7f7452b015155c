#include "train/backend/onednn/nhwc_kernels.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

#include "train/backend/onednn/nhwc_pool_kernels.h"

namespace penstock::train::onednn {
namespace {

/// 19 channels: whole vectors and a rest with every instruction set.
constexpr std::size_t kChannels = 19;

std::vector<float> filled(std::size_t places, float value) {
  return std::vector<float>(places * kChannels, value);
}

BOOST_AUTO_TEST_SUITE(nhwc_kernels)

// One sample of 3 x 5 equal values under two windows: each gradient goes to the first place of its
// window, and the last row and column get what batch norm gives to places without a gradient.
BOOST_AUTO_TEST_CASE(equal_maxima_pass_the_gradient_to_the_first_place) {
  const PooledSizes sizes{3, 5, kChannels};
  const auto x = filled(15, 2.0f);
  const auto gain = filled(1, 1.0f);
  const auto offset = filled(1, -1.0f);
  const auto slope = filled(1, 0.5f);
  const auto level = filled(1, 0.25f);
  const auto dy = filled(2, 8.0f);
  auto dx = filled(15, -1.0f);
  const ChannelBackward constants{{gain.data(), offset.data()}, slope.data(), level.data()};
  pooled_backward(sizes, {0, 1}, constants, x.data(), dy.data(), dx.data());
  for (std::size_t place = 0; place < 15; ++place) {
    const float expected = place == 0 || place == 2 ? 8.0f + 1.25f : 1.25f;
    for (std::size_t c = 0; c < kChannels; ++c) {
      BOOST_TEST_REQUIRE(dx[place * kChannels + c] == expected);
    }
  }
}

// A window whose values ReLU cuts off passes no gradient.
BOOST_AUTO_TEST_CASE(window_below_zero_passes_nothing) {
  const PooledSizes sizes{2, 2, kChannels};
  const auto x = filled(4, 2.0f);
  const auto gain = filled(1, 1.0f);
  const auto offset = filled(1, -3.0f);
  const auto zero = filled(1, 0.0f);
  const auto dy = filled(1, 8.0f);
  auto dx = filled(4, -1.0f);
  auto y = filled(1, -1.0f);
  auto x_at_max = filled(1, -1.0f);
  const ChannelAffine affine{gain.data(), offset.data()};
  pooled_forward(sizes, {0, 1}, affine, x.data(), y.data(), x_at_max.data());
  pooled_backward(sizes, {0, 1}, {affine, zero.data(), zero.data()}, x.data(), dy.data(),
                  dx.data());
  BOOST_TEST(y == filled(1, 0.0f), boost::test_tools::per_element());
  BOOST_TEST(x_at_max == filled(1, 2.0f), boost::test_tools::per_element());
  BOOST_TEST(dx == filled(4, 0.0f), boost::test_tools::per_element());
}

// Whole vectors and a rest, by the definition: max(x, 0), slope 0 at 0; no number stays none.
BOOST_AUTO_TEST_CASE(relu_keeps_what_is_positive_and_what_is_no_number) {
  constexpr std::size_t kCount = 67;
  std::vector<float> x(kCount);
  for (std::size_t i = 0; i < kCount; ++i) x[i] = static_cast<float>(i % 5) - 2.0f;
  x[3] = x[66] = NAN;
  std::vector<float> y(kCount, 9.0f);
  relu_forward(kCount, x.data(), y.data());
  std::vector<float> gradient(kCount, 7.0f);
  relu_backward(kCount, y.data(), gradient.data(), gradient.data());
  for (std::size_t i = 0; i < kCount; ++i) {
    const bool is_positive = i % 5 > 2;
    if (i == 3 || i == 66) {
      BOOST_TEST(std::isnan(y[i]));
    } else {
      BOOST_TEST(y[i] == (is_positive ? x[i] : 0.0f));
      BOOST_TEST(gradient[i] == (is_positive ? 7.0f : 0.0f));
    }
  }
}

// 1, 2, ... 700 about an origin of 1: sums by the closed formulas n(n-1)/2 and (n-1)n(2n-1)/6.
BOOST_AUTO_TEST_CASE(moments_are_summed_about_the_origin) {
  std::vector<float> x;
  for (std::size_t row = 0; row < 700; ++row)
    x.insert(x.end(), kChannels, 1.0f + static_cast<float>(row));
  const auto origin = filled(1, 1.0f);
  std::vector<double> sum(kChannels, 10.0);
  std::vector<double> squares(kChannels, 20.0);
  add_moments({700, kChannels}, x.data(), origin.data(), sum.data(), squares.data());
  for (std::size_t c = 0; c < kChannels; ++c) {
    BOOST_TEST(sum[c] == 10 + 700.0 * 699 / 2, boost::test_tools::tolerance(1e-7));
    BOOST_TEST(squares[c] == 20 + 699.0 * 700 * 1399 / 6, boost::test_tools::tolerance(1e-6));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::onednn
