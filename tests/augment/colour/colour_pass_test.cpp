#include "augment/colour/colour_pass.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <optional>
#include <random>
#include <stop_token>
#include <vector>

#include "augment/colour/reference_colour.h"
#include "tests/augment/test_canvas.h"

namespace penstock::augment {
namespace {

using Rgb = std::array<double, 3>;

ColourSteps steps_of(const std::vector<ColourStep>& steps) {
  ColourSteps result;
  for (const ColourStep& step : steps) result.add(step);
  return result;
}

/// Steps and their tail, over a canvas.
void apply_all(const ColourSteps& steps, const Canvas& canvas) {
  apply_tail(apply_colour_steps(steps.steps(), canvas, {}), canvas);
}

/// What becomes of a row of pixels of three channels.
std::vector<Rgb> colours_after(const std::vector<Rgb>& pixels, const ColourSteps& steps) {
  const auto width = static_cast<std::uint32_t>(pixels.size());
  const TestCanvas owned({.width = width, .height = 1}, 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    for (std::uint32_t c = 0; c < 3; ++c) {
      owned.canvas().plane(c)[i] = static_cast<float>(pixels[i][c]);
    }
  }
  apply_all(steps, owned.canvas());
  std::vector<Rgb> result(pixels.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    for (std::uint32_t c = 0; c < 3; ++c) result[i][c] = owned.canvas().plane(c)[i];
  }
  return result;
}

std::vector<float> gray_after(const std::vector<float>& values, const ColourSteps& steps) {
  const TestCanvas owned({.width = static_cast<std::uint32_t>(values.size()), .height = 1}, 1);
  std::ranges::copy(values, owned.canvas().values);
  apply_all(steps, owned.canvas());
  return owned.values();
}

void check_colours(const std::vector<Rgb>& found, const std::vector<Rgb>& expected, double within) {
  BOOST_REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      BOOST_TEST(std::abs(found[i][c] - expected[i][c]) < within,
                 "pixel " << i << ", channel " << c << ": " << found[i][c] << " is not "
                          << expected[i][c]);
    }
  }
}

const std::vector<Rgb> kColours = {{10, 200, 30},   {250, 128, 0}, {17, 17, 17},   {0, 0, 255},
                                   {255, 255, 255}, {90, 60, 200}, {200, 30, 200}, {0, 0, 0}};

BOOST_AUTO_TEST_SUITE(colour_pass)

// torchvision 0.29.2, transforms.functional on these colours as one float32 picture divided by 255,
// its results times 255.
BOOST_AUTO_TEST_CASE(steps_give_what_torchvision_gives) {
  const auto check = [](ColourStep step, const std::vector<Rgb>& expected) {
    check_colours(colours_after(kColours, steps_of({step})), expected, 1e-3);
  };
  check({ColourStepKind::kHue, 0.25f}, {{10, 85, 200},
                                        {0, 250, 3},
                                        {17, 17, 17},
                                        {255, 0, 127.5},
                                        {255, 255, 255},
                                        {200, 60, 100},
                                        {200, 115, 30},
                                        {0, 0, 0}});
  check({ColourStepKind::kHue, -0.1f}, {{104, 200, 10},
                                        {250, 0, 22},
                                        {17, 17, 17},
                                        {0, 153, 255},
                                        {255, 255, 255},
                                        {60, 114, 200},
                                        {98, 30, 200},
                                        {0, 0, 0}});
  check({ColourStepKind::kHue, 0.5f}, {{200, 10, 180},
                                       {0, 122, 250},
                                       {17, 17, 17},
                                       {255, 255, 0},
                                       {255, 255, 255},
                                       {170, 200, 60},
                                       {30, 200, 30},
                                       {0, 0, 0}});
  check({ColourStepKind::kHue, -0.35f}, {{200, 11, 10},
                                         {103, 0, 250},
                                         {17, 17, 17},
                                         {25.5, 255, 0},
                                         {255, 255, 255},
                                         {60, 200, 76},
                                         {30, 200, 183},
                                         {0, 0, 0}});
  check({ColourStepKind::kBrightness, 1.25f}, {{12.5, 250, 37.5},
                                               {255, 160, 0},
                                               {21.25, 21.25, 21.25},
                                               {0, 0, 255},
                                               {255, 255, 255},
                                               {112.5, 75, 250},
                                               {250, 37.5, 250},
                                               {0, 0, 0}});
  check({ColourStepKind::kContrast, 0.5f}, {{52.489, 147.489, 62.489},
                                            {172.489, 111.489, 47.489},
                                            {55.989, 55.989, 55.989},
                                            {47.489, 47.489, 174.989},
                                            {174.989, 174.989, 174.989},
                                            {92.489, 77.489, 147.489},
                                            {147.489, 62.489, 147.489},
                                            {47.489, 47.489, 47.489}});
  check({ColourStepKind::kSaturation, 0.5f}, {{66.905, 161.905, 76.905},
                                              {199.93, 138.931, 74.931},
                                              {16.999, 16.999, 16.999},
                                              {14.535, 14.535, 142.035},
                                              {254.987, 254.987, 254.987},
                                              {87.461, 72.461, 142.46},
                                              {150.095, 65.095, 150.095},
                                              {0, 0, 0}});
  check({ColourStepKind::kSaturation, 1.25f}, {{0, 219.048, 6.548},
                                               {255, 122.535, 0},
                                               {17, 17, 17},
                                               {0, 0, 255},
                                               {255, 255, 255},
                                               {91.27, 53.77, 228.77},
                                               {224.952, 12.453, 224.952},
                                               {0, 0, 0}});
}

// By hand: 200 * 2 / 2 is 200 unless the 400 were held at 255; a step that is not linear holds it.
BOOST_AUTO_TEST_CASE(values_are_held_once_behind_a_run_of_linear_steps) {
  const ColourStep twice{ColourStepKind::kBrightness, 2};
  const ColourStep half{ColourStepKind::kBrightness, 0.5f};
  const ColourStep lower{ColourStepKind::kChannelShift, -100};
  const ColourStep hue{ColourStepKind::kHue, 0.3f};
  const std::vector<Rgb> gray = {{200, 200, 200}, {40, 40, 40}};
  check_colours(colours_after(gray, steps_of({twice, half})), gray, 1e-4);
  check_colours(colours_after(gray, steps_of({twice, hue, half})),
                {{127.5, 127.5, 127.5}, {40, 40, 40}}, 1e-4);
  check_colours(colours_after(gray, steps_of({lower})), {{100, 100, 100}, {0, 0, 0}}, 1e-4);
  check_colours(colours_after(gray, steps_of({lower, twice})), {{200, 200, 200}, {0, 0, 0}}, 1e-4);
}

// By hand: the mean of 0 and 100 is 50, of 20 and 120 it is 70; 0.5 halves the way to it.
BOOST_AUTO_TEST_CASE(contrast_is_about_the_mean_of_what_it_finds) {
  const ColourStep half{ColourStepKind::kContrast, 0.5f};
  const ColourStep up{ColourStepKind::kChannelShift, 20};
  BOOST_TEST(gray_after({0, 100}, steps_of({half})) == std::vector<float>({25, 75}),
             boost::test_tools::per_element());
  BOOST_TEST(gray_after({0, 100}, steps_of({up, half})) == std::vector<float>({45, 95}),
             boost::test_tools::per_element());
  // Held at 0 and 255 by the end of a run, the second mean is 127.5.
  const ColourStep strong{ColourStepKind::kContrast, 10};
  const ColourStep hue{ColourStepKind::kHue, 0.1f};
  BOOST_TEST(
      gray_after({0, 100}, steps_of({strong, hue, half})) == std::vector<float>({63.75f, 191.25f}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(gray_pictures_have_no_saturation_and_no_hue) {
  const std::vector<float> values = {0, 17, 200.5f, 255};
  BOOST_TEST(gray_after(values, steps_of({{ColourStepKind::kSaturation, 0},
                                          {ColourStepKind::kHue, 0.25f},
                                          {ColourStepKind::kSaturation, 3}})) == values,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_vector_unit_gives_the_bytes_of_single_pixels) {
  constexpr std::uint64_t kSeed = 71;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  for (int trial = 0; trial < 400; ++trial) {
    const TestCanvas start = random_canvas(random);
    const ColourTail tail =
        apply_colour_steps(random_steps(random).steps(), TestCanvas(start).canvas(), {});
    TestCanvas expected(start);
    apply_tail_pixel_by_pixel(tail, expected.canvas());
    const ColourMatrix::Means means = channel_means(start.canvas());
    for_each_target([&] {
      TestCanvas found(start);
      apply_tail(tail, found.canvas());
      BOOST_REQUIRE(found.values() == expected.values());
      BOOST_REQUIRE(channel_means(start.canvas()) == means);
    });
  }
}

BOOST_AUTO_TEST_CASE(means_are_those_of_double_precision) {
  std::mt19937_64 random(72);
  for (int trial = 0; trial < 20; ++trial) {
    const TestCanvas owned({.width = 1 + static_cast<std::uint32_t>(random() % 300),
                            .height = 1 + static_cast<std::uint32_t>(random() % 300)},
                           3);
    fill_randomly(owned.canvas(), random);
    const ColourMatrix::Means means = channel_means(owned.canvas());
    for (std::uint32_t c = 0; c < 3; ++c) {
      double sum = 0;
      for (const float value : owned.canvas().plane(c)) sum += value;
      // 128 roundings of at most half a unit in 2^24, in each partial sum.
      const double mean = sum / static_cast<double>(owned.canvas().plane_px());
      BOOST_TEST(std::abs(means[c] - mean) <= 128 * 0x1p-25 * 255);
    }
  }
}

// The tolerance counts roundings at the largest value on the way: each linear step multiplies values
// by at most its factor and one more; hue is off by up to 12 units in 2^24 of a turn's sixths.
BOOST_AUTO_TEST_CASE(steps_equal_their_twin_but_for_float_rounding) {
  constexpr std::uint64_t kSeed = 73;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  for (int trial = 0; trial < 2000; ++trial) {
    const TestCanvas owned = random_canvas(random);
    const Canvas canvas = owned.canvas();
    const ColourSteps steps = random_steps(random);
    std::vector<double> twin(canvas.plane_px() * canvas.channels);
    for (std::size_t i = 0; i < twin.size(); ++i) {
      twin[i] = canvas.plane(static_cast<std::uint32_t>(i % canvas.channels))[i / canvas.channels];
    }
    reference_colour(steps.steps(), {canvas.channels, canvas.height_px, canvas.width_px}, twin);
    apply_all(steps, canvas);
    double growth = 1;
    for (const ColourStep& step : steps.steps()) {
      if (is_linear(step.kind)) growth *= 2 * std::max(1.0f, std::abs(step.amount)) + 1;
      if (step.kind == ColourStepKind::kChannelShift) growth /= std::abs(step.amount);
    }
    const double tolerance = 255 * 0x1p-24 * (40 + 8 * growth);
    for (std::size_t i = 0; i < twin.size(); ++i) {
      const float found =
          canvas.plane(static_cast<std::uint32_t>(i % canvas.channels))[i / canvas.channels];
      BOOST_REQUIRE_MESSAGE(std::abs(found - twin[i]) <= tolerance,
                            "trial " << trial << ": " << found << " is not " << twin[i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(no_colour_of_an_abandoned_canvas_is_worked_out) {
  std::stop_source source;
  const std::stop_token stop = source.get_token();
  const ColourTail tail{.matrix = std::nullopt, .hue_sixths = 1.0f};
  for (const bool is_stopped : {false, true}) {
    if (is_stopped) source.request_stop();
    for (const auto apply : {apply_tail, apply_tail_pixel_by_pixel}) {
      const TestCanvas owned({.width = 9, .height = 2}, 3);
      Canvas canvas = owned.canvas();
      canvas.stop = &stop;
      canvas.values[0] = 200;
      const std::vector<float> before = owned.values();
      BOOST_TEST((channel_means(canvas)[0] == 0) == is_stopped);
      apply(tail, canvas);
      BOOST_TEST((owned.values() == before) == is_stopped);
    }
  }
}

// More pixels than are worked out between two looks, and not a multiple.
BOOST_AUTO_TEST_CASE(pieces_of_a_large_canvas_are_equal_pixel_by_pixel) {
  std::mt19937_64 random(20240621);
  const ColourTail tail{.matrix = std::nullopt, .hue_sixths = 1.3f};
  const TestCanvas fast({.width = 301, .height = 127}, 3);
  BOOST_REQUIRE(fast.canvas().plane_px() > Canvas::kPieceValues);
  fill_randomly(fast.canvas(), random);
  const TestCanvas slow(fast);
  apply_tail(tail, fast.canvas());
  apply_tail_pixel_by_pixel(tail, slow.canvas());
  BOOST_TEST((fast.values() == slow.values()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
