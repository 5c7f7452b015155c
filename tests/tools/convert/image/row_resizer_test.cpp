#include "tools/convert/image/row_resizer.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <random>
#include <vector>

namespace penstock::convert {
namespace {

struct Picture {
  SidesPx sides;
  std::uint32_t channels = 3;
  std::vector<std::uint8_t> pixels;

  const std::uint8_t* row(std::uint32_t y) const {
    return &pixels[std::size_t{y} * sides.width_px * channels];
  }
};

Picture resized(const Picture& rows, const Resizing& resizing, RowResizer& resizer) {
  Picture out{.sides = resizing.target, .channels = rows.channels, .pixels = {}};
  resizer.begin(resizing);
  for (std::uint32_t y = 0; y < rows.sides.height_px; ++y) {
    std::copy_n(rows.row(y), std::size_t{rows.sides.width_px} * rows.channels, resizer.next_row());
    resizer.add_row([&](const ImageView& lines) {
      for (std::uint32_t line = 0; line < lines.height_px; ++line) {
        const std::uint8_t* const from = lines.row(line);
        out.pixels.insert(out.pixels.end(), from,
                          from + std::size_t{lines.width_px} * lines.channels);
      }
    });
  }
  BOOST_TEST_REQUIRE(out.pixels.size() == out.sides.num_px() * out.channels);
  return out;
}

// Weights of one side by the definition: a triangle as wide as the step to either side, cut off at the
// picture's edge and divided by what is left of it. As Pillow's Image.resize with BILINEAR says.
std::vector<std::vector<double>> triangle(std::uint32_t from, std::uint32_t to) {
  const double step = static_cast<double>(from) / to;
  std::vector<std::vector<double>> weights(to, std::vector<double>(from));
  for (std::uint32_t i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * step - 0.5;
    double sum = 0;
    for (std::uint32_t j = 0; j < from; ++j) {
      weights[i][j] = std::max(0.0, 1 - std::abs(j - centre) / step);
      sum += weights[i][j];
    }
    for (double& weight : weights[i]) weight /= sum;
  }
  return weights;
}

// The slow twin: every source pixel for every output pixel, in double precision.
std::vector<double> exactly_resized(const Picture& picture, SidesPx target) {
  const auto columns = triangle(picture.sides.width_px, target.width_px);
  const auto rows = triangle(picture.sides.height_px, target.height_px);
  std::vector<double> out;
  for (std::uint32_t y = 0; y < target.height_px; ++y) {
    std::vector<double> line(std::size_t{picture.sides.width_px} * picture.channels);
    for (std::uint32_t j = 0; j < picture.sides.height_px; ++j) {
      if (rows[y][j] == 0) continue;
      for (std::size_t i = 0; i < line.size(); ++i) line[i] += rows[y][j] * picture.row(j)[i];
    }
    for (std::uint32_t x = 0; x < target.width_px; ++x) {
      for (std::uint32_t c = 0; c < picture.channels; ++c) {
        double value = 0;
        for (std::uint32_t i = 0; i < picture.sides.width_px; ++i) {
          value += columns[x][i] * line[std::size_t{i} * picture.channels + c];
        }
        out.push_back(value);
      }
    }
  }
  return out;
}

Picture noise(SidesPx sides, std::uint32_t channels, std::mt19937& random) {
  Picture picture{.sides = sides, .channels = channels, .pixels = {}};
  for (std::uint64_t i = 0; i < sides.num_px() * channels; ++i) {
    picture.pixels.push_back(static_cast<std::uint8_t>(random()));
  }
  return picture;
}

double largest_difference(const Picture& picture, const std::vector<double>& expected) {
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(picture.pixels[i] - expected[i]));
  }
  return largest;
}

BOOST_AUTO_TEST_SUITE(row_resizer)

BOOST_AUTO_TEST_CASE(noise_of_any_size_becomes_what_the_slow_twin_makes_of_it) {
  const unsigned seed = std::random_device()();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  RowResizer resizer;  // one for all, as a thread has it
  const auto up_to = [&](std::uint32_t max) {
    return static_cast<std::uint32_t>(random() % max + 1);
  };
  for (int i = 0; i < 60; ++i) {
    const SidesPx from{up_to(160), up_to(160)};
    // Steps of at most 8: above, means come before the filter.
    const SidesPx to{std::max(up_to(from.width_px), (from.width_px + 7) / 8),
                     std::max(up_to(from.height_px), (from.height_px + 7) / 8)};
    const Picture picture = noise(from, i % 2 == 0 ? 3 : 1, random);
    const Picture small =
        resized(picture, {.stored = from, .target = to, .channels = picture.channels}, resizer);
    // Half a level of rounding, a part in a hundred of the next, and float32.
    BOOST_TEST(
        largest_difference(small, exactly_resized(picture, to)) < 0.53,
        from.width_px << " x " << from.height_px << " to " << to.width_px << " x " << to.height_px);
  }
}

BOOST_AUTO_TEST_CASE(many_pixels_become_one_by_way_of_means) {
  std::mt19937 random(7);
  RowResizer resizer;
  for (const auto& [from, to] : std::vector<std::pair<SidesPx, SidesPx>>{
           {{1000, 700}, {20, 14}}, {{3001, 40}, {75, 1}}, {{64, 2500}, {2, 78}}}) {
    const Picture picture = noise(from, 3, random);
    const Picture small = resized(picture, {.stored = from, .target = to}, resizer);
    // White noise, of which the two filters see pixels with other weights: each value is a mean of over a
    // thousand, whose deviation is 74 / sqrt(1000) = 2.3; slopes and flat parts differ far less.
    BOOST_TEST(largest_difference(small, exactly_resized(picture, to)) < 12.0);
    Picture slope{.sides = from, .channels = 3, .pixels = {}};
    for (std::uint32_t y = 0; y < from.height_px; ++y) {
      for (std::uint32_t x = 0; x < from.width_px; ++x) {
        const auto value = static_cast<std::uint8_t>(200.0 * x / from.width_px);
        slope.pixels.insert(slope.pixels.end(), {value, 77, value});
      }
    }
    const Picture small_slope = resized(slope, {.stored = from, .target = to}, resizer);
    BOOST_TEST(largest_difference(small_slope, exactly_resized(slope, to)) < 1.5);
  }
}

BOOST_AUTO_TEST_CASE(what_is_flat_stays_flat_and_what_keeps_its_sides_its_bytes) {
  std::mt19937 random(3);
  RowResizer resizer;
  Picture flat{.sides = {333, 217}, .channels = 3, .pixels = {}};
  for (int i = 0; i < 333 * 217; ++i) flat.pixels.insert(flat.pixels.end(), {255, 0, 131});
  for (const SidesPx to : {SidesPx{100, 65}, SidesPx{332, 216}, SidesPx{9, 6}, SidesPx{333, 1}}) {
    const Picture small = resized(flat, {.stored = flat.sides, .target = to}, resizer);
    for (std::size_t i = 0; i < small.pixels.size(); ++i) {
      BOOST_TEST_REQUIRE(small.pixels[i] == flat.pixels[i % 3]);
    }
  }
  const Picture picture = noise({57, 31}, 3, random);
  const Picture same =
      resized(picture, {.stored = picture.sides, .target = picture.sides}, resizer);
  BOOST_CHECK(same.pixels == picture.pixels);
}

BOOST_AUTO_TEST_CASE(it_holds_what_was_priced) {
  for (const auto& [from, to] :
       std::vector<std::pair<SidesPx, SidesPx>>{{{1000, 700}, {20, 14}},
                                                {{300, 200}, {299, 199}},
                                                {{300, 200}, {300, 200}},
                                                {{90, 4000}, {80, 3556}}}) {
    std::mt19937 random(1);
    RowResizer resizer;
    const Resizing resizing{.stored = from, .target = to};
    (void)resized(noise(from, 3, random), resizing, resizer);
    BOOST_TEST(resizer.held_bytes() <= RowResizer::memory_bytes(resizing));
  }
}

// Rows of a picture at half its size, 17 of 33 columns wide, say less of its last column: positions refer
// to the whole picture, so a slope of the whole comes out where it would from the whole.
BOOST_AUTO_TEST_CASE(positions_refer_to_the_whole_picture_at_any_decode_scale) {
  RowResizer resizer;
  const SidesPx stored{265, 33};
  for (const std::uint32_t scale : {2u, 4u, 8u}) {
    const Resizing resizing{
        .stored = stored, .decode_scale = scale, .target = {27, 3}, .channels = 1};
    Picture rows{.sides = resizing.rows(), .channels = 1, .pixels = {}};
    for (std::uint32_t y = 0; y < rows.sides.height_px; ++y) {
      for (std::uint32_t x = 0; x < rows.sides.width_px; ++x) {
        // The mean of the slope x over `scale` columns, rounded: half a level, as the result is.
        rows.pixels.push_back(static_cast<std::uint8_t>(
            x * scale + (scale - 1) / 2.0 < 255 ? x * scale + (scale - 1) / 2.0 + 0.5 : 255));
      }
    }
    const Picture small = resized(rows, resizing, resizer);
    for (std::uint32_t x = 2; x < 24; ++x) {
      const double centre = (x + 0.5) * 265 / 27 - 0.5;
      BOOST_TEST(std::abs(small.pixels[27 + x] - centre) <= 1.6);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_decode_scale_leaves_something_to_the_filter) {
  BOOST_TEST(choose_decode_scale({400, 533}, {256, 341}) == 1u);
  BOOST_TEST(choose_decode_scale({767, 1000}, {256, 334}) == 1u);
  BOOST_TEST(choose_decode_scale({768, 1000}, {256, 333}) == 2u);  // 3 times, 1.5 are left
  BOOST_TEST(choose_decode_scale({3072, 4000}, {256, 333}) == 8u);
  BOOST_TEST(choose_decode_scale({40000, 3}, {64, 1}) == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
