#include "train/backend/onednn/nhwc_kernels.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "train/backend/onednn/nhwc_overlapping_pool_kernels.h"

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

// 4 x 5 equal values under 2 x 3 windows: the gradient of each goes to the first of its places that lies
// inside. By hand: windows stand about (0, 0), (0, 2), (0, 4), (2, 0), (2, 2), (2, 4), so those places are
// (0, 0), (0, 1), (0, 3), (1, 0), (1, 1), (1, 3).
BOOST_AUTO_TEST_CASE(overlapping_windows_of_equal_values_pass_the_gradient_to_their_first_places) {
  const OverlappingSizes sizes{4, 5, kChannels};
  const auto x = filled(20, 2.0f);
  const auto gain = filled(1, 1.0f);
  const auto offset = filled(1, -1.0f);
  const auto slope = filled(1, 0.5f);
  const auto level = filled(1, 0.25f);
  const ChannelAffine affine{gain.data(), offset.data()};
  auto y = filled(6, -1.0f);
  std::vector<std::uint8_t> places(6 * kChannels, 77);
  overlapping_forward(sizes, {0, 2}, affine, x.data(), y.data(), places.data());
  BOOST_TEST(y == filled(6, 1.0f), boost::test_tools::per_element());
  const auto dy = filled(6, 8.0f);
  auto dx = filled(20, -1.0f);
  overlapping_backward(sizes, {0, 2}, {affine, slope.data(), level.data()}, x.data(), places.data(),
                       dy.data(), dx.data());
  const std::set<std::size_t> first_places = {0, 1, 3, 5, 6, 8};
  for (std::size_t place = 0; place < 20; ++place) {
    const float expected = first_places.contains(place) ? 8.0f + 1.25f : 1.25f;
    for (std::size_t c = 0; c < kChannels; ++c) {
      BOOST_TEST_REQUIRE(dx[place * kChannels + c] == expected, "place " << place);
    }
  }
}

// 3 x 3 places, the largest in the middle: all four windows take it, and it gets all four gradients. The gain
// is negative, so the largest of the outputs is the least of the inputs.
BOOST_AUTO_TEST_CASE(a_maximum_of_four_overlapping_windows_gets_all_their_gradients) {
  const OverlappingSizes sizes{3, 3, kChannels};
  auto x = filled(9, 2.0f);
  std::fill_n(x.begin() + 4 * kChannels, kChannels, -3.0f);
  const auto gain = filled(1, -1.0f);
  const auto zero = filled(1, 0.0f);
  const ChannelAffine affine{gain.data(), zero.data()};
  auto y = filled(4, -1.0f);
  std::vector<std::uint8_t> places(4 * kChannels);
  overlapping_forward(sizes, {0, 2}, affine, x.data(), y.data(), places.data());
  BOOST_TEST(y == filled(4, 3.0f), boost::test_tools::per_element());
  std::vector<float> dy;
  for (const float value : {1.0f, 10.0f, 100.0f, 1000.0f}) dy.insert(dy.end(), kChannels, value);
  // About a mean of -1 the maximum lies at -2. Sums are added to what was there.
  const auto mean = filled(1, -1.0f);
  std::vector<double> sum_g(kChannels, 7.0);
  std::vector<double> sum_gx(kChannels, 8.0);
  add_overlapping_sums(sizes, {0, 2}, mean.data(), x.data(), places.data(), dy.data(), sum_g.data(),
                       sum_gx.data());
  BOOST_TEST(sum_g == std::vector<double>(kChannels, 7.0 + 1111), boost::test_tools::per_element());
  BOOST_TEST(sum_gx == std::vector<double>(kChannels, 8.0 - 2222),
             boost::test_tools::per_element());
  auto expected = filled(9, 0.0f);
  std::fill_n(expected.begin() + 4 * kChannels, kChannels, -1111.0f);
  overlapping_backward(sizes, {0, 2}, {affine, zero.data(), zero.data()}, x.data(), places.data(),
                       dy.data(), x.data());
  BOOST_TEST(x == expected, boost::test_tools::per_element());
}

// Both samples are below ReLU's edge but for one place of the second; a value that is no number is seen.
BOOST_AUTO_TEST_CASE(overlapping_windows_below_zero_pass_nothing) {
  const OverlappingSizes sizes{2, 2, kChannels};
  auto x = filled(12, 2.0f);
  std::fill_n(x.begin() + 5 * kChannels, kChannels, 4.0f);
  std::fill_n(x.begin() + 8 * kChannels, kChannels, NAN);
  const auto gain = filled(1, 1.0f);
  const auto offset = filled(1, -3.0f);
  const auto zero = filled(1, 0.0f);
  const ChannelAffine affine{gain.data(), offset.data()};
  auto y = filled(3, -1.0f);
  std::vector<std::uint8_t> places(3 * kChannels);
  overlapping_forward(sizes, {0, 3}, affine, x.data(), y.data(), places.data());
  auto evaluated = filled(3, -1.0f);
  overlapping_forward(sizes, {0, 3}, affine, x.data(), evaluated.data(), nullptr);
  for (std::size_t c = 0; c < kChannels; ++c) {
    BOOST_TEST(y[c] == 0.0f);
    BOOST_TEST(y[kChannels + c] == 1.0f);
    BOOST_TEST(std::isnan(y[2 * kChannels + c]));
    BOOST_TEST(evaluated[kChannels + c] == 1.0f);
  }
  const auto dy = filled(3, 8.0f);
  std::vector<double> sum_g(kChannels);
  std::vector<double> sum_gx(kChannels);
  add_overlapping_sums(sizes, {0, 2}, zero.data(), x.data(), places.data(), dy.data(), sum_g.data(),
                       sum_gx.data());
  BOOST_TEST(sum_g == std::vector<double>(kChannels, 8.0), boost::test_tools::per_element());
  BOOST_TEST(sum_gx == std::vector<double>(kChannels, 32.0), boost::test_tools::per_element());
  auto dx = filled(12, -1.0f);
  overlapping_backward(sizes, {0, 2}, {affine, zero.data(), zero.data()}, x.data(), places.data(),
                       dy.data(), dx.data());
  auto expected = filled(8, 0.0f);
  std::fill_n(expected.begin() + 5 * kChannels, kChannels, 8.0f);
  dx.resize(expected.size());
  BOOST_TEST(dx == expected, boost::test_tools::per_element());
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
