#include "tools/convert/image/rgb_sums.h"

#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

namespace penstock::convert {
namespace {

BOOST_AUTO_TEST_SUITE(rgb_sums)

BOOST_AUTO_TEST_CASE(vectors_give_what_the_slow_twin_gives) {
  const unsigned seed = std::random_device()();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (std::size_t num_px = 0; num_px < 600; ++num_px) {
    std::vector<std::uint8_t> rgb(3 * num_px);
    for (std::uint8_t& value : rgb) value = static_cast<std::uint8_t>(random());
    BOOST_REQUIRE(sum_rgb(rgb.data(), num_px) == sum_rgb_scalar(rgb.data(), num_px));
  }
}

// 65535 * 255 = 16,711,425 and 65535 * 65025 = 4,261,413,375, which is above 2^31.
BOOST_AUTO_TEST_CASE(the_longest_row_of_white_does_not_overflow) {
  const std::vector<std::uint8_t> white(3 * kMaxRgbRunPx, 255);
  const RgbSums sums = sum_rgb(white.data(), kMaxRgbRunPx);
  for (int c = 0; c < 3; ++c) {
    BOOST_TEST(sums.sum[c] == 16'711'425u);
    BOOST_TEST(sums.sum_of_squares[c] == 4'261'413'375u);
  }
  BOOST_TEST(sums.sum_of_gray == 16'711'425u);
  BOOST_TEST(sums.sum_of_gray_squares == 4'261'413'375u);
}

// Every colour of a grid, each alone: rounding is where a luma goes wrong.
BOOST_AUTO_TEST_CASE(the_luma_of_every_colour_is_that_of_the_slow_twin) {
  std::vector<std::uint8_t> rgb;
  for (int r = 0; r < 256; r += 5) {
    for (int g = 0; g < 256; g += 3) {
      rgb.clear();
      for (int b = 0; b < 256; ++b) {
        rgb.push_back(static_cast<std::uint8_t>(r));
        rgb.push_back(static_cast<std::uint8_t>(g));
        rgb.push_back(static_cast<std::uint8_t>(b));
      }
      BOOST_REQUIRE(sum_rgb(rgb.data(), 256) == sum_rgb_scalar(rgb.data(), 256));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
