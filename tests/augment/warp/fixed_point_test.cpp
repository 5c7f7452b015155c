// By hand, and against the same blends in double precision.
#include "augment/warp/fixed_point.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

namespace penstock::augment {
namespace {

std::uint8_t blended(std::uint8_t top, std::uint8_t bottom, float row_weight) {
  const std::int16_t value = blend_bytes(top, bottom, fixed_row_weight(row_weight));
  return blend_to_byte(value, value, 0);
}

BOOST_AUTO_TEST_SUITE(fixed_point)

BOOST_AUTO_TEST_CASE(halves_become_even) {
  BOOST_TEST(int{blended(0, 1, 0.5f)} == 0);
  BOOST_TEST(int{blended(1, 2, 0.5f)} == 2);
  BOOST_TEST(int{blended(4, 5, 0.5f)} == 4);
  BOOST_TEST(int{blended(255, 254, 0.5f)} == 254);
  BOOST_TEST(int{blended(10, 20, 0.75f)} == 18);  // 17.5
  // 10.25 and 10.75
  const std::int16_t left = blend_bytes(10, 11, fixed_row_weight(0.25f));
  const std::int16_t right = blend_bytes(10, 11, fixed_row_weight(0.75f));
  BOOST_TEST(int{blend_to_byte(left, right, fixed_column_weight(0.5f))} == 10);
  BOOST_TEST(int{blend_to_byte(left, right, fixed_column_weight(0.625f))} == 11);
}

BOOST_AUTO_TEST_CASE(whole_pixels_stay_what_they_are_at_either_end) {
  for (int a = 0; a < 256; ++a) {
    for (const int b : {0, 1, a, 254, 255}) {
      const auto first = static_cast<std::uint8_t>(a);
      const auto second = static_cast<std::uint8_t>(b);
      BOOST_REQUIRE(blended(first, second, 0) == first);
      BOOST_REQUIRE(blended(first, second, 1) == second);
      const std::int16_t left = blend_bytes(first, first, 0);
      const std::int16_t right = blend_bytes(second, second, 0);
      BOOST_REQUIRE(blend_to_byte(left, right, fixed_column_weight(0)) == first);
      BOOST_REQUIRE(blend_to_byte(left, right, fixed_column_weight(1)) == second);
    }
  }
}

// Off by the weights' rounding, 255 times 2^-15 (2^-16, and 2^-15 at a row weight of 1), and twice by that
// to multiples of 2^-7.
BOOST_AUTO_TEST_CASE(blends_are_within_a_fortieth_of_a_level_before_they_are_rounded) {
  constexpr std::uint64_t kSeed = 4171;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  constexpr double kMost = 2 * 255 * 0x1p-15 + 2 * 0x1p-8;
  double num_apart = 0;
  constexpr int kNumTrials = 1'000'000;
  for (int trial = 0; trial < kNumTrials; ++trial) {
    std::uint8_t bytes[4];
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    // Often of few digits, where halves are exact.
    const auto weight = [&] {
      return static_cast<float>(random() % 4 == 0 ? static_cast<double>(random() % 9) / 8
                                                  : static_cast<double>(random() >> 40) * 0x1p-24);
    };
    const float row_weight = weight();
    const float column_weight = weight();
    const std::int16_t fixed_row = fixed_row_weight(row_weight);
    const std::uint8_t found = blend_to_byte(blend_bytes(bytes[0], bytes[1], fixed_row),
                                             blend_bytes(bytes[2], bytes[3], fixed_row),
                                             fixed_column_weight(column_weight));
    const double left = bytes[0] + double{row_weight} * (bytes[1] - bytes[0]);
    const double right = bytes[2] + double{row_weight} * (bytes[3] - bytes[2]);
    const double exact = left + double{column_weight} * (right - left);
    BOOST_REQUIRE_MESSAGE(std::abs(found - exact) <= 0.5 + kMost,
                          "trial " << trial << ": " << int{found} << " is not " << exact);
    num_apart += std::abs(found - std::nearbyint(exact));
  }
  BOOST_TEST_MESSAGE("levels from the exact, rounded: " << num_apart / kNumTrials);
  BOOST_TEST(num_apart / kNumTrials < 0.02);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
