#include "augment/augment_draws.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

namespace penstock::augment {
namespace {

constexpr int kNumDraws = 10'000;

struct Statistics {
  double mean = 0;
  double lowest = 0;
  double highest = 0;
};

Statistics statistics_of(const std::vector<double>& values) {
  Statistics s;
  for (const double v : values) s.mean += v / static_cast<double>(values.size());
  s.lowest = *std::min_element(values.begin(), values.end());
  s.highest = *std::max_element(values.begin(), values.end());
  return s;
}

/// A uniform law on [lo, hi]: the mean within five standard errors, the range nearly filled
/// (a gap of 0.2 % at an end has a chance of 2e-9).
void check_uniform(const std::vector<double>& values, double lo, double hi) {
  const Statistics s = statistics_of(values);
  const double standard_error = (hi - lo) / std::sqrt(12.0 * kNumDraws);
  BOOST_TEST(std::abs(s.mean - (lo + hi) / 2) < 5 * standard_error, "mean " << s.mean);
  BOOST_TEST(s.lowest >= lo);
  BOOST_TEST(s.highest <= hi);
  BOOST_TEST(s.lowest < lo + 0.002 * (hi - lo));
  BOOST_TEST(s.highest > hi - 0.002 * (hi - lo));
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double mean_a = statistics_of(a).mean;
  const double mean_b = statistics_of(b).mean;
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / std::sqrt(aa * bb);
}

BOOST_AUTO_TEST_SUITE(augment_draws)

BOOST_AUTO_TEST_CASE(ten_thousand_draws_have_the_stated_mean_range_and_rate) {
  const AugmentConfig config = {.horizontal_flip = 0.3,
                                .width_shift_range = 0.1,
                                .height_shift_range = 0.2,
                                .zoom_range = {.lo = 0.8, .hi = 1.4}};
  std::vector<double> flips, shift_x, shift_y, zoom_x, zoom_y;
  for (std::uint64_t position = 0; position < kNumDraws; ++position) {
    const AugmentDraws drawn = draw_augmentation(
        config, {200, 100}, Draws({.seed = 11, .epoch = 3, .position = position}));
    flips.push_back(drawn.is_flipped ? 1 : 0);
    shift_x.push_back(drawn.shift_px.x);
    shift_y.push_back(drawn.shift_px.y);
    zoom_x.push_back(drawn.zoom.x);
    zoom_y.push_back(drawn.zoom.y);
  }
  // Five standard errors of a rate: 5 * sqrt(0.3 * 0.7 / 10000).
  BOOST_TEST(std::abs(statistics_of(flips).mean - 0.3) < 0.023);
  check_uniform(shift_x, -20, 20);  // 0.1 of 200 columns
  check_uniform(shift_y, -20, 20);  // 0.2 of 100 rows
  check_uniform(zoom_x, 0.8, 1.4);
  check_uniform(zoom_y, 0.8, 1.4);

  const std::vector<const std::vector<double>*> all = {&flips, &shift_x, &shift_y, &zoom_x,
                                                       &zoom_y};
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      // Five standard errors of the correlation of independent values: 5 / sqrt(10000).
      BOOST_TEST(std::abs(correlation(*all[i], *all[j])) < 0.05, "values " << i << " and " << j);
    }
  }
}

// The table of DrawBlock, written out: a change of any number changes the bytes of old runs.
BOOST_AUTO_TEST_CASE(each_value_comes_from_its_own_block) {
  const Draws draws({.seed = 5, .epoch = 1, .position = 77});
  const AugmentConfig config = {.horizontal_flip = 0.5,
                                .width_shift_range = 0.5,
                                .height_shift_range = 3,
                                .zoom_range = {.lo = 1, .hi = 3}};
  const AugmentDraws drawn = draw_augmentation(config, {10, 10}, draws);
  BOOST_TEST(drawn.shift_px.y == -3 + 6 * draws.uniform(1, 0), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(drawn.shift_px.x == -5 + 10 * draws.uniform(2, 0),
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(drawn.zoom.y == 1 + 2 * draws.uniform(4, 0), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(drawn.zoom.x == 1 + 2 * draws.uniform(4, 1), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(drawn.is_flipped == (draws.uniform(5, 0) < 0.5));
}

// Keras: below 1 a fraction of the side, from 1 on pixels.
BOOST_AUTO_TEST_CASE(a_shift_range_of_one_or_more_counts_pixels) {
  double largest = 0;
  for (std::uint64_t position = 0; position < kNumDraws; ++position) {
    const AugmentDraws drawn =
        draw_augmentation({.width_shift_range = 1}, {1000, 1000}, Draws({.position = position}));
    largest = std::max(largest, std::abs(drawn.shift_px.x));
    BOOST_REQUIRE(drawn.shift_px.y == 0.0);
  }
  BOOST_TEST(largest <= 1.0);
  BOOST_TEST(largest > 0.99);
}

BOOST_AUTO_TEST_CASE(nothing_is_random_when_everything_is_off_and_extremes_are_certain) {
  for (std::uint64_t position = 0; position < 1000; ++position) {
    const Draws draws({.position = position});
    const AugmentDraws off = draw_augmentation({}, {10, 10}, draws);
    BOOST_REQUIRE(!off.is_flipped);
    BOOST_REQUIRE(off.shift_px.x == 0.0);
    BOOST_REQUIRE(off.shift_px.y == 0.0);
    BOOST_REQUIRE(off.zoom.x == 1.0);
    BOOST_REQUIRE(off.zoom.y == 1.0);
    BOOST_REQUIRE(draw_augmentation({.horizontal_flip = 1}, {10, 10}, draws).is_flipped);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
