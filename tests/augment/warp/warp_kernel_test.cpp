// Warps of small pictures against values made by hand.
#include "augment/warp/warp_kernel.h"

#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

using Values = std::vector<float>;

/// Resizes a gray picture without scaled decoding, in pixel units.
Values resize_gray(const TestPicture& picture, SizePx output) {
  const AugmentTransform transform({.rescale = 1, .decode_scaling = DecodeScaling::kOff});
  return transform_picture(transform, picture.decoded(), info_of(picture.size), spec_of(output, 1),
                           Draws({}));
}

BOOST_AUTO_TEST_SUITE(warp_kernel)

// By hand. Four pixels from two lie at -0.25, 0.25, 0.75, 1.25; the outer two are clamped.
BOOST_AUTO_TEST_CASE(enlarging_blends_with_half_pixel_centres) {
  const Values expected = {0, 25, 75, 100};
  BOOST_TEST(resize_gray(gray_picture({2, 1}, {0, 100}), {4, 1}) == expected,
             boost::test_tools::per_element());
  BOOST_TEST(resize_gray(gray_picture({1, 2}, {0, 100}), {1, 4}) == expected,
             boost::test_tools::per_element());
}

// By hand: two from four lie at 0.5 and 2.5, the means of pairs; rows likewise.
BOOST_AUTO_TEST_CASE(halving_takes_the_mean_of_two_by_two) {
  const TestPicture picture = gray_picture({4, 2}, {0, 10, 20, 40, 4, 14, 24, 44});
  const Values expected = {7, 32};
  BOOST_TEST(resize_gray(picture, {2, 1}) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(one_pixel_fills_any_size) {
  for (const float value : resize_gray(gray_picture({1, 1}, {77}), {7, 5})) {
    BOOST_REQUIRE(value == 77.0f);
  }
}

// By hand, centre 1: zoom 2 reads -1, 1, 3; zoom 1/2 reads 0.5, 1, 1.5. Rows as columns.
BOOST_AUTO_TEST_CASE(a_zoom_factor_above_one_shows_more_than_the_picture) {
  const TestPicture row = gray_picture({3, 1}, {10, 20, 30});
  const Values wide = {10, 20, 30};
  const Values wide_constant = {5, 20, 5};
  const Values close = {15, 20, 25};
  const AugmentDraws out_x{.zoom = {2, 1}};
  const AugmentDraws in_x{.zoom = {0.5, 1}};
  BOOST_TEST(warp_gray(row, out_x, FillMode::kNearest, 5) == wide,
             boost::test_tools::per_element());
  BOOST_TEST(warp_gray(row, out_x, FillMode::kConstant, 5) == wide_constant,
             boost::test_tools::per_element());
  BOOST_TEST(warp_gray(row, in_x, FillMode::kConstant, 5) == close,
             boost::test_tools::per_element());

  const TestPicture column = gray_picture({1, 3}, {10, 20, 30});
  const AugmentDraws out_y{.zoom = {1, 2}};
  BOOST_TEST(warp_gray(column, out_y, FillMode::kConstant, 5) == wide_constant,
             boost::test_tools::per_element());
}

// By hand: the position moves right by one, so the picture moves left (Keras' sign); 0.5 blends.
// Constant has no blending with the border: 1.5 and 2.4 lie in the picture's area, 2.6 does not.
BOOST_AUTO_TEST_CASE(a_shift_moves_rows_or_columns_and_fills_behind) {
  const TestPicture row = gray_picture({3, 1}, {10, 20, 30});
  const auto shifted = [&](double x, FillMode mode) {
    return warp_gray(row, {.shift_px = {x, 0}}, mode, 5);
  };
  const Values by_one = {20, 30, 30};
  const Values by_one_constant = {20, 30, 5};
  const Values by_half_constant = {15, 25, 30};
  const Values back_constant = {5, 5, 10};
  BOOST_TEST(shifted(1, FillMode::kNearest) == by_one, boost::test_tools::per_element());
  BOOST_TEST(shifted(1, FillMode::kConstant) == by_one_constant, boost::test_tools::per_element());
  BOOST_TEST(shifted(0.5, FillMode::kConstant) == by_half_constant,
             boost::test_tools::per_element());
  BOOST_TEST(shifted(-2, FillMode::kConstant) == back_constant, boost::test_tools::per_element());

  const TestPicture column = gray_picture({1, 3}, {10, 20, 30});
  BOOST_TEST(warp_gray(column, {.shift_px = {0, 1}}, FillMode::kNearest, 5) == by_one,
             boost::test_tools::per_element());
  BOOST_TEST(warp_gray(column, {.shift_px = {1, 0}}, FillMode::kNearest, 5) == Values({10, 20, 30}),
             boost::test_tools::per_element());
}

// By hand, aaaa|abcd|dddd and so on: a picture of 10 20 30 looked at 6 pixels further left and right.
BOOST_AUTO_TEST_CASE(fill_modes_continue_the_picture_as_they_say) {
  const TestPicture row = gray_picture({3, 1}, {10, 20, 30});
  const auto shifted = [&](double x, FillMode mode) {
    return warp_gray(row, {.shift_px = {x, 0}}, mode, 5);
  };
  const auto check = [&](double x, FillMode mode, const Values& expected) {
    BOOST_TEST(shifted(x, mode) == expected, boost::test_tools::per_element());
  };
  check(-3, FillMode::kReflect, {30, 20, 10});  // cba|abc
  check(-6, FillMode::kReflect, {10, 20, 30});
  check(3, FillMode::kReflect, {30, 20, 10});  // abc|cba
  check(2, FillMode::kReflect, {30, 30, 20});
  check(7, FillMode::kReflect, {20, 30, 30});
  check(-3, FillMode::kWrap, {10, 20, 30});
  check(-1, FillMode::kWrap, {30, 10, 20});
  check(2, FillMode::kWrap, {30, 10, 20});
  check(4, FillMode::kWrap, {20, 30, 10});
  // Halves: reflected, the edge is blended with itself; wrapped, the last pixel with the first.
  check(2.5, FillMode::kReflect, {30, 25, 15});
  check(1.5, FillMode::kWrap, {25, 20, 15});
  check(-0.5, FillMode::kWrap, {20, 15, 25});
  const TestPicture column = gray_picture({1, 3}, {10, 20, 30});
  BOOST_TEST(warp_gray(column, {.shift_px = {0, 2}}, FillMode::kWrap, 5) == Values({30, 10, 20}),
             boost::test_tools::per_element());
  BOOST_TEST(warp_gray(column, {.shift_px = {0, 2}}, FillMode::kReflect, 5) == Values({30, 30, 20}),
             boost::test_tools::per_element());
}

// Keras applies the flip last: the shifted picture is mirrored. Shift one gives 20 30 30.
BOOST_AUTO_TEST_CASE(the_flip_comes_after_the_shift) {
  const TestPicture row = gray_picture({3, 1}, {10, 20, 30});
  const AugmentDraws drawn{.is_flipped = true, .shift_px = {1, 0}};
  const Values expected = {30, 30, 20};
  BOOST_TEST(warp_gray(row, drawn, FillMode::kNearest, 0) == expected,
             boost::test_tools::per_element());
}

// A float32 lerp written as a + f (b - a) is exact where a = b.
BOOST_AUTO_TEST_CASE(a_flat_picture_stays_exactly_flat) {
  std::mt19937_64 random(5);
  for (int value = 0; value < 256; ++value) {
    TestPicture picture = noise_picture({13, 9}, 1, random);
    for (std::uint8_t& byte : picture.bytes) byte = static_cast<std::uint8_t>(value);
    for (const float out : resize_gray(picture, {17, 5})) {
      BOOST_REQUIRE(out == static_cast<float>(value));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
