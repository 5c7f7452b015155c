#include "augment/warp/turned_positions.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <random>

namespace penstock::augment {
namespace {

BOOST_AUTO_TEST_SUITE(turned_positions)

// Half a 2^-24 from cutting to whole numbers, and half a 2^-32 for the start and each of 511 steps.
BOOST_AUTO_TEST_CASE(positions_are_those_of_the_map_to_a_float_weight) {
  constexpr std::uint64_t kSeed = 99001;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  const auto real = [&](double reach) {
    return std::uniform_real_distribution<double>(-reach, reach)(random);
  };
  double worst = 0;
  for (int trial = 0; trial < 20'000; ++trial) {
    const AffineMap map{real(4), real(4), real(3000), real(4), real(4), real(3000)};
    const auto x = static_cast<std::uint32_t>(random() % 512);
    const auto y = static_cast<std::uint32_t>(random() % 512);
    const PointPx exact = map({static_cast<double>(x), static_cast<double>(y)});
    const PointPx fixed = TurnedRow(map, y).at(x);
    worst = std::max({worst, std::abs(fixed.x - exact.x), std::abs(fixed.y - exact.y)});
    BOOST_REQUIRE(std::floor(std::ldexp(fixed.x, 24)) == std::ldexp(fixed.x, 24));
  }
  BOOST_TEST(worst <= 0x1p-25 + 512 * 0x1p-33 + 0x1p-40);
  BOOST_TEST(worst > 0x1p-26);  // the search found what rounding does
}

// By hand: whole multiples stay, halves of 2^-24 go up, below zero too.
BOOST_AUTO_TEST_CASE(multiples_are_exact_and_halves_are_rounded_up) {
  const auto at = [](double x0, std::uint32_t x) {
    return TurnedRow({.xx = 0.25, .xy = 1, .x0 = x0, .yx = 1}, 0).at(x).x;
  };
  BOOST_TEST(at(-0.5, 0) == -0.5);
  BOOST_TEST(at(-0.5, 3) == 0.25);
  BOOST_TEST(at(0x1p-24, 0) == 0x1p-24);
  BOOST_TEST(at(0x1p-25, 0) == 0x1p-24);
  BOOST_TEST(at(0x1p-26, 0) == 0.0);
  BOOST_TEST(at(-0x1p-25, 0) == 0.0);
  BOOST_TEST(at(-0x1.8p-25, 0) == -0x1p-24);
}

BOOST_AUTO_TEST_CASE(maps_that_reach_too_far_or_do_not_turn_have_none) {
  constexpr SizePx kOutput{100, 100};
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const AffineMap turned{.xx = 1, .xy = 0.5, .x0 = 0, .yx = -0.5, .yy = 1, .y0 = 0};
  BOOST_TEST(has_turned_positions(turned, kOutput));
  BOOST_TEST(!has_turned_positions(AffineMap{}, kOutput));
  BOOST_TEST(!has_turned_positions({.xx = 0, .xy = 1, .yx = 1, .yy = 0}, kOutput));
  for (const double far : {0x1p19 + 1, -0x1p19 - 1, 1e300, kNan, kInfinity}) {
    for (double AffineMap::*entry : {&AffineMap::xx, &AffineMap::xy, &AffineMap::x0, &AffineMap::yx,
                                     &AffineMap::yy, &AffineMap::y0}) {
      AffineMap map = turned;
      map.*entry = far;
      BOOST_TEST(!has_turned_positions(map, kOutput), far);
      BOOST_TEST(!has_turned_positions(map, SizePx{1, 1}), far);
    }
  }
  AffineMap corner = turned;
  corner.xx = 0x1p19 / 99;  // the last column's, and the last row's on top
  BOOST_TEST(!has_turned_positions(corner, kOutput));
  BOOST_TEST(has_turned_positions(corner, SizePx{99, 2}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
