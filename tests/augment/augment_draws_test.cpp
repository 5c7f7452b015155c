#include "augment/augment_draws.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <numbers>
#include <random>
#include <vector>

#include "tests/augment/draw_statistics.h"

namespace penstock::augment {
namespace {

BOOST_AUTO_TEST_SUITE(augment_draws)

BOOST_AUTO_TEST_CASE(ten_thousand_draws_have_the_stated_mean_range_and_rate) {
  const AugmentConfig config = {.horizontal_flip = 0.3,
                                .vertical_flip = 0.6,
                                .width_shift_range = 0.1,
                                .height_shift_range = 0.2,
                                .zoom_range = {.lo = 0.8, .hi = 1.4},
                                .rotation_range = 30,
                                .shear_range = 10};
  std::vector<double> flips, shift_x, shift_y, zoom_x, zoom_y, over, turns, shears;
  for (std::uint64_t position = 0; position < kNumDraws; ++position) {
    const AugmentDraws drawn = draw_augmentation(
        config, {.output = {200, 100}}, Draws({.seed = 11, .epoch = 3, .position = position}));
    flips.push_back(drawn.is_flipped ? 1 : 0);
    shift_x.push_back(drawn.shift_px.x);
    shift_y.push_back(drawn.shift_px.y);
    zoom_x.push_back(drawn.zoom.x);
    zoom_y.push_back(drawn.zoom.y);
    over.push_back(drawn.is_flipped_vertically ? 1 : 0);
    turns.push_back(drawn.rotation_rad * 180 / std::numbers::pi);
    shears.push_back(drawn.shear_rad * 180 / std::numbers::pi);
  }
  // Five standard errors of a rate: 5 * sqrt(0.3 * 0.7 / 10000).
  BOOST_TEST(std::abs(statistics_of(flips).mean - 0.3) < 0.023);
  BOOST_TEST(std::abs(statistics_of(over).mean - 0.6) < 0.025);
  check_uniform(turns, -30, 30);
  check_uniform(shears, -10, 10);
  check_uniform(shift_x, -20, 20);  // 0.1 of 200 columns
  check_uniform(shift_y, -20, 20);  // 0.2 of 100 rows
  check_uniform(zoom_x, 0.8, 1.4);
  check_uniform(zoom_y, 0.8, 1.4);

  const std::vector<const std::vector<double>*> all = {&flips,  &shift_x, &shift_y, &zoom_x,
                                                       &zoom_y, &over,    &turns,   &shears};
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
                                .vertical_flip = 0.5,
                                .width_shift_range = 0.5,
                                .height_shift_range = 3,
                                .zoom_range = {.lo = 1, .hi = 3},
                                .rotation_range = 180,
                                .shear_range = 45};
  const AugmentDraws drawn = draw_augmentation(config, {.output = {10, 10}}, draws);
  BOOST_TEST(drawn.shift_px.y == -3 + 6 * draws.uniform(1, 0), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(drawn.shift_px.x == -5 + 10 * draws.uniform(2, 0),
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(drawn.zoom.y == 1 + 2 * draws.uniform(4, 0), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(drawn.zoom.x == 1 + 2 * draws.uniform(4, 1), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(drawn.is_flipped == (draws.uniform(5, 0) < 0.5));
  BOOST_TEST(drawn.is_flipped_vertically == (draws.uniform(6, 0) < 0.5));
  BOOST_TEST(drawn.rotation_rad == std::numbers::pi * (2 * draws.uniform(0, 0) - 1),
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(drawn.shear_rad == std::numbers::pi / 4 * (2 * draws.uniform(3, 0) - 1),
             boost::test_tools::tolerance(1e-12));
}

// Keras: below 1 a fraction of the side, from 1 on pixels.
BOOST_AUTO_TEST_CASE(a_shift_range_of_one_or_more_counts_pixels) {
  double largest = 0;
  for (std::uint64_t position = 0; position < kNumDraws; ++position) {
    const AugmentDraws drawn = draw_augmentation({.width_shift_range = 1}, {.output = {1000, 1000}},
                                                 Draws({.position = position}));
    largest = std::max(largest, std::abs(drawn.shift_px.x));
    BOOST_REQUIRE(drawn.shift_px.y == 0.0);
  }
  BOOST_TEST(largest <= 1.0);
  BOOST_TEST(largest > 0.99);
}

BOOST_AUTO_TEST_CASE(nothing_is_random_when_everything_is_off_and_extremes_are_certain) {
  for (std::uint64_t position = 0; position < 1000; ++position) {
    const Draws draws({.position = position});
    const AugmentDraws off = draw_augmentation({}, {.output = {10, 10}}, draws);
    BOOST_REQUIRE(!off.is_flipped);
    BOOST_REQUIRE(off.shift_px.x == 0.0);
    BOOST_REQUIRE(off.shift_px.y == 0.0);
    BOOST_REQUIRE(off.zoom.x == 1.0);
    BOOST_REQUIRE(off.zoom.y == 1.0);
    BOOST_REQUIRE(
        draw_augmentation({.horizontal_flip = 1}, {.output = {10, 10}}, draws).is_flipped);
  }
}

// A padding of 4 gives nine places on each axis, each as likely: 10,000 / 9 within five standard
// errors, 5 * sqrt(10000 * 1/9 * 8/9) = 157.
BOOST_AUTO_TEST_CASE(a_crop_of_the_padded_picture_takes_every_whole_place_alike) {
  std::map<double, int> columns, rows;
  std::vector<double> x, y;
  for (std::uint64_t position = 0; position < kNumDraws; ++position) {
    const AugmentDraws drawn = draw_augmentation({.random_crop_padding = 4}, {.output = {32, 32}},
                                                 Draws({.seed = 2, .position = position}));
    ++columns[drawn.shift_px.x];
    ++rows[drawn.shift_px.y];
    x.push_back(drawn.shift_px.x);
    y.push_back(drawn.shift_px.y);
  }
  BOOST_TEST(columns.size() == 9u);
  BOOST_TEST(rows.size() == 9u);
  for (int place = -4; place <= 4; ++place) {
    BOOST_TEST(std::abs(columns[place] - 1111) < 157, "column " << place);
    BOOST_TEST(std::abs(rows[place] - 1111) < 157, "row " << place);
  }
  BOOST_TEST(std::abs(correlation(x, y)) < 0.05);
}

RectPx crop_of(SizePx upright, DrawRange scale, DrawRange ratio, std::uint64_t position = 0) {
  const AugmentConfig config = {.random_resized_crop = true,
                                .random_resized_crop_scale = scale,
                                .random_resized_crop_ratio = ratio};
  const Draws draws({.seed = 4, .position = position});
  return draw_augmentation(config, {.output = {8, 8}, .upright = upright}, draws).crop;
}

// By hand from torchvision's formula: a quarter of 100 x 100 is 50 x 50, or 100 x 25 at 4 : 1. What
// fits nowhere becomes the centred window of the nearest ratio.
BOOST_AUTO_TEST_CASE(a_window_has_the_sides_that_area_and_ratio_give) {
  const RectPx square = crop_of({100, 100}, {0.25, 0.25}, {1, 1});
  BOOST_TEST(square.width == 50u);
  BOOST_TEST(square.height == 50u);
  BOOST_TEST(square.x <= 50u);
  BOOST_TEST(square.y <= 50u);
  const RectPx wide = crop_of({100, 100}, {0.25, 0.25}, {4, 4});
  BOOST_TEST(wide.width == 100u);
  BOOST_TEST(wide.height == 25u);
  BOOST_TEST(wide.x == 0u);
  BOOST_TEST((crop_of({100, 100}, {1, 1}, {2, 2}) == RectPx{0, 25, 100, 50}));
  BOOST_TEST((crop_of({300, 100}, {1, 1}, {0.5, 1}) == RectPx{100, 0, 100, 100}));
  BOOST_TEST((crop_of({1, 1}, {0.08, 1}, {0.75, 1.34}) == RectPx{0, 0, 1, 1}));
  // Halves are rounded to even, as Python does: sqrt(25 * 0.25) = 2.5 is 2, sqrt(49 * 0.25) = 3.5
  // is 4.
  BOOST_TEST(crop_of({5, 5}, {0.25, 0.25}, {1, 1}).width == 2u);
  BOOST_TEST(crop_of({7, 7}, {0.25, 0.25}, {1, 1}).width == 4u);
}

// Of 60,000 x 60,000 every window fits: the area is evenly drawn from 0.2 to 0.5, the ratio as a
// logarithm from 3/4 to 4/3, the place from all there is.
BOOST_AUTO_TEST_CASE(windows_have_the_stated_laws) {
  std::vector<double> areas, log_ratios, x, y;
  for (std::uint64_t position = 0; position < kNumDraws; ++position) {
    const RectPx crop = crop_of({60'000, 60'000}, {0.2, 0.5}, {3.0 / 4, 4.0 / 3}, position);
    BOOST_REQUIRE(crop.x + crop.width <= 60'000u);
    BOOST_REQUIRE(crop.y + crop.height <= 60'000u);
    areas.push_back(double{1} * crop.width * crop.height / 3.6e9);
    log_ratios.push_back(std::log(double{1} * crop.width / crop.height));
    x.push_back(double{1} * crop.x / (60'000 - crop.width));
    y.push_back(double{1} * crop.y / (60'000 - crop.height));
  }
  // Sides of whole pixels move areas and ratios by less than 1e-4.
  check_uniform(areas, 0.1999, 0.5001);
  check_uniform(log_ratios, std::log(0.7499), std::log(1.3335));
  check_uniform(x, 0, 1);
  check_uniform(y, 0, 1);
  for (const auto* a : {&areas, &log_ratios, &x}) {
    BOOST_TEST(std::abs(correlation(*a, y)) < 0.05);
  }
  BOOST_TEST(std::abs(correlation(areas, log_ratios)) < 0.05);
}

// Keras 2.12, image_utils.smart_resize: of 300 x 200 for a square 200 x 200 from column 50; for 3 : 1
// 300 x 100 from row 50; of 301 x 200 the odd column is on the right. Shares by hand.
BOOST_AUTO_TEST_CASE(a_centred_window_has_the_outputs_ratio) {
  const auto window = [](double share, SizePx upright, SizePx output) {
    const AugmentConfig config{.center_crop = share};
    const RectPx crop =
        draw_augmentation(config, {.output = output, .upright = upright}, Draws({})).crop;
    const SizePx smallest = smallest_crop(config, {.output = output, .upright = upright});
    BOOST_TEST((smallest == SizePx{crop.width, crop.height}));
    return crop;
  };
  BOOST_TEST((window(1, {300, 200}, {64, 64}) == RectPx{50, 0, 200, 200}));
  BOOST_TEST((window(1, {300, 200}, {96, 32}) == RectPx{0, 50, 300, 100}));
  BOOST_TEST((window(1, {301, 200}, {64, 64}) == RectPx{50, 0, 200, 200}));
  BOOST_TEST((window(1, {64, 64}, {10, 20}) == RectPx{16, 0, 32, 64}));
  // torchvision's Resize(256) and CenterCrop(224): 224 of 256 is 0.875.
  BOOST_TEST((window(0.875, {512, 256}, {224, 224}) == RectPx{144, 16, 224, 224}));
  BOOST_TEST((window(0.001, {40, 30}, {8, 8}) == RectPx{19, 14, 1, 1}));
  BOOST_TEST((window(1, {1, 65500}, {224, 224}) == RectPx{0, 32749, 1, 1}));
  BOOST_TEST((window(0.5, {1, 1}, {1, 16384}) == RectPx{0, 0, 1, 1}));
}

BOOST_AUTO_TEST_CASE(a_random_window_goes_before_a_centred_one) {
  const AugmentConfig config{.random_resized_crop = true,
                             .random_resized_crop_scale = {.lo = 0.1, .hi = 0.1},
                             .center_crop = 1};
  const RectPx crop =
      draw_augmentation(config, {.output = {8, 8}, .upright = {100, 100}}, Draws({})).crop;
  BOOST_TEST(crop.width < 50u);
}

BOOST_AUTO_TEST_CASE(no_window_is_smaller_than_the_smallest) {
  constexpr std::uint64_t kSeed = 31;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  const auto real = [&](double lo, double hi) {
    return std::uniform_real_distribution<double>(lo, hi)(random);
  };
  for (std::uint64_t trial = 0; trial < 20'000; ++trial) {
    const double scale = real(0.01, 1);
    const double ratio = std::exp(real(-3, 3));
    const AugmentConfig config = {
        .random_resized_crop = true,
        .random_resized_crop_scale = {.lo = scale, .hi = std::min(1.0, scale * real(1, 3))},
        .random_resized_crop_ratio = {.lo = ratio, .hi = ratio * real(1, 4)}};
    config.validate();
    const SizePx upright{1 + static_cast<std::uint32_t>(random() % 300),
                         1 + static_cast<std::uint32_t>(random() % 300)};
    const RectPx crop =
        draw_augmentation(config, {.upright = upright}, Draws({.seed = kSeed, .position = trial}))
            .crop;
    const SizePx smallest = smallest_crop(config, {.upright = upright});
    BOOST_REQUIRE(crop.width >= smallest.width);
    BOOST_REQUIRE(crop.height >= smallest.height);
    BOOST_REQUIRE(crop.x + crop.width <= upright.width);
    BOOST_REQUIRE(crop.y + crop.height <= upright.height);
  }
}

BOOST_AUTO_TEST_CASE(whatever_is_random_draws) {
  for (const std::string_view name : AugmentConfig::preset_names()) {
    const AugmentConfig config = AugmentConfig::preset(name);
    BOOST_TEST(draws_anything(config) == (name != "none" && name != "keras_default"));
    BOOST_TEST(!draws_anything(config.without_randomness()));
  }
  const AugmentConfig colours[] = {{.channel_shift_range = 1},
                                   {.brightness_range = {.lo = 0.5, .hi = 1}},
                                   {.contrast_range = {.lo = 1, .hi = 2}},
                                   {.saturation_range = {.lo = 2, .hi = 2}},
                                   {.hue_range = 0.1},
                                   {.auto_augment = AutoAugment::kTrivialAugmentWide}};
  for (const AugmentConfig& config : colours) {
    BOOST_TEST(draws_colours(config));
    BOOST_TEST(draws_anything(config));
  }
  const AugmentConfig others[] = {{.horizontal_flip = 0.5},
                                  {.vertical_flip = 0.5},
                                  {.width_shift_range = 0.1},
                                  {.height_shift_range = 0.1},
                                  {.zoom_range = {.lo = 0.9, .hi = 1}},
                                  {.rotation_range = 1},
                                  {.shear_range = 1},
                                  {.random_resized_crop = true},
                                  {.random_crop_padding = 1},
                                  {.random_erasing = 0.5}};
  for (const AugmentConfig& config : others) {
    BOOST_TEST(!draws_colours(config));
    BOOST_TEST(draws_anything(config));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
