// Antialiased samples of large pictures against the same in double precision: at most one level of a
// byte anywhere, and a tenth on average, whatever the picture.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "augment/warp/filter_window.h"
#include "augment/warp/reference_warp.h"
#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

constexpr AugmentConfig kAntialiased{.rescale = 1,
                                     .interpolation = Interpolation::kBilinearAntialias,
                                     .decode_scaling = DecodeScaling::kOff};

struct Errors {
  double worst = 0;  // in levels of a byte
  double sum = 0;
  std::size_t num = 0;

  double mean() const { return sum / static_cast<double>(num); }
};

/// Every value of a sample against the twin.
Errors errors_of(const TestPicture& picture, const BatchSpec& spec, const AugmentConfig& config) {
  const SampleInfo info = info_of(picture.size);
  const Draws draws({.seed = 1, .position = 3});
  const AugmentTransform transform(config);
  const std::vector<float> found =
      transform_picture(transform, picture.decoded(), info, spec, draws);
  const AugmentDraws drawn =
      draw_augmentation(config, {{spec.width_px, spec.height_px}, picture.size}, draws);
  const std::vector<double> twin = augment::reference_warp(
      {.config = config, .drawn = drawn, .info = info, .spec = spec, .image = picture.view()});
  Errors errors{.num = found.size()};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double apart = std::abs(found[i] - twin[i]);
    errors.worst = std::max(errors.worst, apart);
    errors.sum += apart;
  }
  return errors;
}

/// Pictures of black and white, the hardest for weights that were rounded.
struct Pattern {
  std::string name;
  std::function<bool(std::size_t x, std::size_t y)> is_white;
};

std::vector<Pattern> hard_patterns(std::mt19937_64& random) {
  const std::size_t edge = random() % 1000;
  return {{"white", [](std::size_t, std::size_t) { return true; }},
          {"an edge", [=](std::size_t x, std::size_t y) { return x + y > 100 + edge; }},
          {"lines in turn", [](std::size_t x, std::size_t y) { return (x + y) % 2 == 0; }},
          {"two lines in turn", [](std::size_t x, std::size_t y) { return (x + y) / 2 % 2 == 0; }},
          {"every third line", [](std::size_t x, std::size_t y) { return (x + y) % 3 == 0; }},
          {"noise", [&](std::size_t, std::size_t) { return random() % 2 == 0; }}};
}

TestPicture picture_of(const Pattern& pattern, SizePx size, std::uint32_t channels) {
  TestPicture picture{{}, size, channels};
  picture.bytes.reserve(std::size_t{size.width} * size.height * channels);
  for (std::size_t y = 0; y < size.height; ++y) {
    for (std::size_t x = 0; x < size.width; ++x) {
      picture.bytes.insert(picture.bytes.end(), channels, pattern.is_white(x, y) ? 255 : 0);
    }
  }
  return picture;
}

/// The picture that a rounding of row weights shows worst: white where a weight is too large.
TestPicture worst_picture(std::uint32_t num_rows, std::uint32_t width, std::uint32_t channels) {
  const FilterAxis axis(
      {.last = num_rows - 1.0, .extent = static_cast<double>(num_rows), .length = num_rows},
      Interpolation::kBilinearAntialias, num_rows / 2.0);
  // The first of two output rows, whose centre lies a quarter down.
  const FilterWindow window = find_window(num_rows / 4.0 - 0.5, axis);
  RowWeights weights(window);
  std::vector<std::int32_t> rounded(window.count);
  double one = 0;
  for (std::int32_t& weight : rounded) one += weight = weights.next();
  TestPicture picture{{}, {width, num_rows}, channels};
  picture.bytes.resize(std::size_t{width} * num_rows * channels);
  for (std::uint32_t i = 0; i < window.count; ++i) {
    const bool is_too_large = rounded[i] / one > window.raw_weight(i) * window.inverse_sum;
    const auto row = picture.bytes.begin() +
                     static_cast<std::ptrdiff_t>(std::size_t{window.first + i} * width * channels);
    std::fill_n(row, width * channels, is_too_large ? 255 : 0);
  }
  return picture;
}

BOOST_AUTO_TEST_SUITE(filter_precision)

BOOST_AUTO_TEST_CASE(the_longest_pictures_are_off_by_a_level_at_most) {
  constexpr std::uint64_t kSeed = 65;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  struct Shape {
    SizePx stored;
    SizePx output;
  };
  const Shape shapes[] = {{{1, 65500}, {1, 2}},    {{65500, 1}, {2, 1}},   {{1, 65500}, {1, 1}},
                          {{65500, 1}, {1, 1}},    {{1, 65500}, {1, 5}},   {{2, 40000}, {2, 2}},
                          {{3, 65500}, {16, 150}}, {{60, 20000}, {20, 50}}};
  Errors all;
  for (const Shape& shape : shapes) {
    for (const Pattern& pattern : hard_patterns(random)) {
      for (const std::uint32_t channels : {1u, 3u}) {
        const Errors errors = errors_of(picture_of(pattern, shape.stored, channels),
                                        spec_of(shape.output, channels), kAntialiased);
        all.worst = std::max(all.worst, errors.worst);
        all.sum += errors.sum;
        all.num += errors.num;
        BOOST_TEST(errors.worst <= 1.0, pattern.name << ", " << shape.stored.width << " x "
                                                     << shape.stored.height << ": "
                                                     << errors.worst);
      }
    }
  }
  BOOST_TEST_MESSAGE("largest error " << all.worst << " levels, mean " << all.mean());
  BOOST_TEST(all.mean() < 0.1);
}

// 512 rows is the longest window that goes in vectors.
BOOST_AUTO_TEST_CASE(no_picture_shows_the_rounding_of_row_weights_by_more_than_a_level) {
  for (const std::uint32_t num_rows :
       {30u, 300u, 390u, 500u, 512u, 2000u, 16000u, 33000u, 65500u}) {
    for (const std::uint32_t channels : {1u, 3u}) {
      const TestPicture picture = worst_picture(num_rows, num_rows > 512 ? 1 : 40, channels);
      const Errors errors =
          errors_of(picture, spec_of({picture.size.width, 2}, channels), kAntialiased);
      BOOST_TEST_MESSAGE(num_rows << " rows: " << errors.worst << " levels");
      BOOST_TEST(errors.worst <= 1.0, num_rows << " rows: " << errors.worst);
    }
  }
}

// The smaller picture of a turned map is rounded to bytes, and the twin's is. A sum next to a half may be
// rounded the other way: one level, and what four float32 roundings of a blend add.
BOOST_AUTO_TEST_CASE(turned_pictures_are_off_by_one_rounding_of_a_byte_at_most) {
  constexpr std::uint64_t kSeed = 66;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  AugmentConfig config = kAntialiased;
  config.rotation_range = 60;
  Errors all;
  struct Shape {
    SizePx stored;
    SizePx output;
  };
  for (const Shape& shape : {Shape{{300, 260}, {30, 20}},
                             {{60, 64}, {24, 30}},
                             {{40, 2500}, {10, 12}},
                             {{2500, 40}, {10, 12}},
                             {{90, 90}, {45, 45}}}) {
    for (const Pattern& pattern : hard_patterns(random)) {
      const Errors errors =
          errors_of(picture_of(pattern, shape.stored, 3), spec_of(shape.output, 3), config);
      all.worst = std::max(all.worst, errors.worst);
      all.sum += errors.sum;
      all.num += errors.num;
      BOOST_TEST(errors.worst <= 1.0 + 4 * 255 * 0x1p-24,
                 pattern.name << ", " << shape.stored.width << " x " << shape.stored.height << ": "
                              << errors.worst);
    }
  }
  BOOST_TEST_MESSAGE("largest error " << all.worst << " levels, mean " << all.mean());
  BOOST_TEST(all.mean() < 0.1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
