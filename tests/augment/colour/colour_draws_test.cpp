// The draws of colours and of random erasing.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

#include "augment/augment_draws.h"
#include "tests/augment/draw_statistics.h"

namespace penstock::augment {
namespace {

AugmentDraws draws_at(const AugmentConfig& config, std::uint64_t position,
                      SizePx output = {80, 60}) {
  return draw_augmentation(config, {.output = output}, Draws({.seed = 12, .position = position}));
}

BOOST_AUTO_TEST_SUITE(colour_draws)

BOOST_AUTO_TEST_CASE(ten_thousand_draws_have_the_stated_mean_and_range) {
  const AugmentConfig config = {.horizontal_flip = 0.5,
                                .channel_shift_range = 20,
                                .brightness_range = {.lo = 0.6, .hi = 1.4},
                                .contrast_range = {.lo = 0.5, .hi = 2},
                                .saturation_range = {.lo = 0, .hi = 3},
                                .hue_range = 0.1,
                                .random_erasing = 0.25};
  std::vector<double> shifts, brightness, contrast, saturation, hues, flips, erased;
  for (std::uint64_t position = 0; position < kNumDraws; ++position) {
    const AugmentDraws drawn = draws_at(config, position);
    shifts.push_back(drawn.channel_shift);
    brightness.push_back(drawn.brightness);
    contrast.push_back(drawn.contrast);
    saturation.push_back(drawn.saturation);
    hues.push_back(drawn.hue_turns);
    flips.push_back(drawn.is_flipped ? 1 : 0);
    erased.push_back(drawn.erased.width > 0 ? 1 : 0);
  }
  check_uniform(shifts, -20, 20);
  check_uniform(brightness, 0.6, 1.4);
  check_uniform(contrast, 0.5, 2);
  check_uniform(saturation, 0, 3);
  check_uniform(hues, -0.1, 0.1);
  // Five standard errors of a rate: 5 * sqrt(0.25 * 0.75 / 10000).
  BOOST_TEST(std::abs(statistics_of(erased).mean - 0.25) < 0.022);
  const std::vector<const std::vector<double>*> all = {&shifts, &brightness, &contrast, &saturation,
                                                       &hues,   &flips,      &erased};
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      // Five standard errors of the correlation of independent values: 5 / sqrt(10000).
      BOOST_TEST(std::abs(correlation(*all[i], *all[j])) < 0.05, "values " << i << " and " << j);
    }
  }
}

// The table of DrawBlock, written out: a change of any number changes the bytes of old runs.
BOOST_AUTO_TEST_CASE(each_value_comes_from_its_own_block) {
  const AugmentConfig config = {.channel_shift_range = 100,
                                .brightness_range = {.lo = 1, .hi = 2},
                                .contrast_range = {.lo = 2, .hi = 3},
                                .saturation_range = {.lo = 3, .hi = 4},
                                .hue_range = 0.5,
                                .random_erasing = 0.5,
                                .random_erasing_scale = {.lo = 0.1, .hi = 0.2},
                                .random_erasing_ratio = {.lo = 1, .hi = 1}};
  int num_erased = 0;
  for (std::uint64_t position = 0; position < 50; ++position) {
    const Draws draws({.seed = 5, .epoch = 1, .position = position});
    const AugmentDraws drawn = draw_augmentation(config, {.output = {1000, 2000}}, draws);
    const auto within = boost::test_tools::tolerance(1e-9);
    BOOST_TEST(drawn.channel_shift == -100 + 200 * draws.uniform(7, 0), within);
    BOOST_TEST(drawn.brightness == 1 + draws.uniform(8, 0), within);
    BOOST_TEST(drawn.contrast == 2 + draws.uniform(21, 0), within);
    BOOST_TEST(drawn.saturation == 3 + draws.uniform(22, 0), within);
    BOOST_TEST(drawn.hue_turns == draws.uniform(23, 0) - 0.5, within);
    BOOST_TEST((drawn.erased.width > 0) == (draws.uniform(24, 0) < 0.5));
    if (drawn.erased.width == 0) continue;
    ++num_erased;
    const double side = std::nearbyint(std::sqrt(2e6 * (0.1 + 0.1 * draws.uniform(26, 0))));
    BOOST_TEST(drawn.erased.width == side);
    BOOST_TEST(drawn.erased.height == side);
    BOOST_TEST(drawn.erased.y == std::floor(draws.uniform(25, 0) * (2001 - side)));
    BOOST_TEST(drawn.erased.x == std::floor(draws.uniform(25, 1) * (1001 - side)));
  }
  BOOST_TEST(num_erased > 5);
}

BOOST_AUTO_TEST_CASE(steps_come_in_the_order_of_the_document_and_only_where_they_change_something) {
  const auto steps = [](const AugmentDraws& drawn) {
    const ColourSteps all = colour_steps_of(drawn);
    return std::vector<ColourStep>(all.steps().begin(), all.steps().end());
  };
  BOOST_TEST(steps({}).empty());
  const std::vector<ColourStep> all = {{ColourStepKind::kChannelShift, -5},
                                       {ColourStepKind::kBrightness, 0.5f},
                                       {ColourStepKind::kContrast, 1.5f},
                                       {ColourStepKind::kSaturation, 0},
                                       {ColourStepKind::kHue, 0.25f}};
  BOOST_TEST((steps({.channel_shift = -5,
                     .brightness = 0.5,
                     .contrast = 1.5,
                     .saturation = 0,
                     .hue_turns = 0.25}) == all));
  BOOST_TEST((steps({.contrast = 1.5}) == std::vector<ColourStep>{all[2]}));
}

// torchvision 0.29.2, RandomErasing.get_params on 60 rows of 80 columns with its defaults, 20,000 draws:
// mean and standard deviation of height, width, row and column; every one found a place.
BOOST_AUTO_TEST_CASE(erased_windows_have_the_statistics_of_torchvision) {
  const AugmentConfig config = {.random_erasing = 1};
  std::vector<double> heights, widths, rows, columns;
  for (std::uint64_t position = 0; position < kNumDraws; ++position) {
    const RectPx erased = draws_at(config, position).erased;
    BOOST_REQUIRE(erased.width > 0u);
    BOOST_REQUIRE(erased.width < 80u);
    BOOST_REQUIRE(erased.height < 60u);
    BOOST_REQUIRE(erased.x + erased.width <= 80u);
    BOOST_REQUIRE(erased.y + erased.height <= 60u);
    heights.push_back(erased.height);
    widths.push_back(erased.width);
    rows.push_back(erased.y);
    columns.push_back(erased.x);
  }
  const auto check = [](const std::vector<double>& values, double mean, double deviation) {
    // Five standard errors of the difference of two means.
    const double within = 5 * deviation * std::sqrt(1.0 / kNumDraws + 1.0 / 20'000);
    BOOST_TEST(std::abs(statistics_of(values).mean - mean) < within,
               "mean " << statistics_of(values).mean << " is not " << mean);
  };
  check(heights, 28.411, 12.330);
  check(widths, 29.754, 13.822);
  check(rows, 15.877, 11.798);
  check(columns, 25.071, 16.810);
}

// By hand: a window must be smaller than the picture on both sides, so one pixel has none; all of the
// area fits no try.
BOOST_AUTO_TEST_CASE(a_picture_that_no_window_fits_is_left_alone) {
  for (std::uint64_t position = 0; position < 100; ++position) {
    BOOST_REQUIRE(draws_at({.random_erasing = 1}, position, {1, 1}).erased == RectPx{});
    BOOST_REQUIRE(draws_at({.random_erasing = 1}, position, {1, 500}).erased == RectPx{});
    const AugmentConfig everything = {.random_erasing = 1,
                                      .random_erasing_scale = {.lo = 1, .hi = 1}};
    BOOST_REQUIRE(draws_at(everything, position, {64, 64}).erased == RectPx{});
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
