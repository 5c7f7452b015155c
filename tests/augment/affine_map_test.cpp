#include "augment/affine_map.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numbers>

namespace penstock::augment {
namespace {

void check_map(const AffineMap& map, const AffineMap& expected) {
  const auto near = [](double a, double b) { return std::abs(a - b) < 1e-12; };
  BOOST_TEST(near(map.xx, expected.xx), map.xx << " is not " << expected.xx);
  BOOST_TEST(near(map.xy, expected.xy), map.xy << " is not " << expected.xy);
  BOOST_TEST(near(map.x0, expected.x0), map.x0 << " is not " << expected.x0);
  BOOST_TEST(near(map.yx, expected.yx), map.yx << " is not " << expected.yx);
  BOOST_TEST(near(map.yy, expected.yy), map.yy << " is not " << expected.yy);
  BOOST_TEST(near(map.y0, expected.y0), map.y0 << " is not " << expected.y0);
}

BOOST_AUTO_TEST_SUITE(affine_map)

// By hand: [[2, 1, 3], [0, 1, -1]] after [[0, -1, 5], [1, 0, 7]].
BOOST_AUTO_TEST_CASE(composition_is_the_matrix_product_of_second_and_first) {
  const AffineMap first{.xx = 0, .xy = -1, .x0 = 5, .yx = 1, .yy = 0, .y0 = 7};
  const AffineMap second{.xx = 2, .xy = 1, .x0 = 3, .yx = 0, .yy = 1, .y0 = -1};
  check_map(compose(first, second), {.xx = 1, .xy = -2, .x0 = 20, .yx = 1, .yy = 0, .y0 = 6});
}

BOOST_AUTO_TEST_CASE(flip_swaps_the_outermost_columns) {
  const AffineMap map = flip_horizontal_map({5, 3});
  BOOST_TEST(map({0, 2}).x == 4.0);
  BOOST_TEST(map({4, 2}).x == 0.0);
  BOOST_TEST(map({4, 2}).y == 2.0);
}

// By hand for 5 x 3: the centre is (2, 1).
BOOST_AUTO_TEST_CASE(zoom_keeps_the_centre_and_a_factor_above_one_reaches_outside) {
  const AffineMap map = zoom_map({2, 3}, {5, 3});
  check_map(map, {.xx = 2, .x0 = -2, .yy = 3, .y0 = -2});
  BOOST_TEST(map({2, 1}).x == 2.0);
  BOOST_TEST(map({2, 1}).y == 1.0);
  BOOST_TEST(map({0, 0}).x == -2.0);
}

// Keras' matrices act on (row, column): row' = cos row - sin column, column' = sin row + cos column.
// By hand for 5 x 3, centre (2, 1), a quarter: from the centre (0, -1) becomes (1, 0) as (row, column).
BOOST_AUTO_TEST_CASE(rotation_turns_about_the_centre_as_keras_does) {
  const AffineMap map = rotation_map(std::numbers::pi / 2, {5, 3});
  check_map(map, {.xx = 0, .xy = 1, .x0 = 1, .yx = -1, .yy = 0, .y0 = 3});
  const PointPx left = map({1, 1});  // one column left of the centre
  BOOST_TEST(std::abs(left.x - 2) < 1e-12);
  BOOST_TEST(std::abs(left.y - 2) < 1e-12);  // one row below it
}

// row' = row - sin column, column' = cos column. By hand, 30 degrees, centre (2, 1).
BOOST_AUTO_TEST_CASE(shear_leans_about_the_centre_as_keras_does) {
  const AffineMap map = shear_map(std::numbers::pi / 6, {5, 3});
  const double cosine = std::sqrt(3.0) / 2;
  check_map(map, {.xx = cosine, .x0 = 2 - 2 * cosine, .yx = -0.5, .yy = 1, .y0 = 1});
}

BOOST_AUTO_TEST_CASE(vertical_flip_swaps_the_outermost_rows) {
  const AffineMap map = flip_vertical_map({5, 3});
  BOOST_TEST(map({4, 0}).y == 2.0);
  BOOST_TEST(map({4, 2}).y == 0.0);
  BOOST_TEST(map({4, 2}).x == 4.0);
}

// By hand: 8 pixels from 4 lie 0.5 apart, the first centre at 0.25 - 0.5; rows 2 from 6, at 1, 4.
BOOST_AUTO_TEST_CASE(resize_puts_edges_on_edges) {
  const AffineMap map = resize_map({.output = {8, 2}, .source = {4, 6}});
  check_map(map, {.xx = 0.5, .x0 = -0.25, .yy = 3, .y0 = 1});
  BOOST_TEST(map({-0.5, -0.5}).x == -0.5);
  BOOST_TEST(map({7.5, 1.5}).x == 3.5);
  BOOST_TEST(map({7.5, 1.5}).y == 5.5);
}

// By hand: the first pixel of a picture decoded at 1/4 averages pixels 0 to 3, centre 1.5.
BOOST_AUTO_TEST_CASE(decode_scale_puts_averages_on_their_centres) {
  const AffineMap map = decode_scale_map(4);
  BOOST_TEST(map({1.5, 5.5}).x == 0.0);
  BOOST_TEST(map({1.5, 5.5}).y == 1.0);
  check_map(decode_scale_map(1), {});
}

BOOST_AUTO_TEST_CASE(decoded_sides_are_rounded_up) {
  BOOST_TEST((decoded_size({17, 16}, 8) == SizePx{3, 2}));
  BOOST_TEST((decoded_size({1, 3}, 2) == SizePx{1, 2}));
  BOOST_TEST((decoded_size({0xFFFFFFFF, 5}, 1) == SizePx{0xFFFFFFFF, 5}));
}

// Known decompositions: a rotation by 30 degrees of diag(5, 2); the shear [[1, 1], [0, 1]], whose
// singular values are the golden ratio and its inverse; an exact power of two.
BOOST_AUTO_TEST_CASE(singular_values_are_those_of_known_matrices) {
  const double c = std::sqrt(3.0) / 2;
  const double s = 0.5;
  const SingularValues turned =
      singular_values({.xx = 5 * c, .xy = -2 * s, .yx = 5 * s, .yy = 2 * c});
  BOOST_TEST(turned.largest == 5.0, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(turned.smallest == 2.0, boost::test_tools::tolerance(1e-12));

  const SingularValues sheared = singular_values({.xy = 1});
  BOOST_TEST(sheared.largest == 1.6180339887498949, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(sheared.smallest == 0.6180339887498949, boost::test_tools::tolerance(1e-12));

  const SingularValues swapped = singular_values({.xx = 0, .xy = -2, .yx = 5.4321, .yy = 0});
  BOOST_TEST(swapped.smallest == 2.0);
  BOOST_TEST(swapped.largest == 5.4321);
  BOOST_TEST(singular_values({.xx = 2, .yy = -5.4321}).smallest == 2.0);
}

BOOST_AUTO_TEST_CASE(turns_by_right_angles_are_exact) {
  for (int quarters = -4; quarters <= 4; ++quarters) {
    const AffineMap map = rotation_map(quarters * std::numbers::pi / 2, {7, 5});
    BOOST_TEST(map.is_turned() == false);
    BOOST_TEST(map.is_separable() == (quarters % 2 == 0));
    BOOST_TEST(map.is_quarter_turn() == (quarters % 2 != 0));
  }
  BOOST_TEST(rotation_map(1e-3, {7, 5}).is_turned());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
