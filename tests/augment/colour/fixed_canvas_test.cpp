#include "augment/colour/fixed_canvas.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <random>
#include <vector>

#include "tests/augment/test_canvas.h"

namespace penstock::augment {
namespace {

constexpr ColourStep kHue{ColourStepKind::kHue, 0.1f};

bool keeps(const std::vector<ColourStep>& steps, std::uint32_t channels = 3) {
  return keep_fixed(steps, channels);
}

BOOST_AUTO_TEST_SUITE(fixed_canvas)

BOOST_AUTO_TEST_CASE(hue_behind_linear_steps_is_kept_fixed) {
  BOOST_TEST(keeps({kHue}));
  BOOST_TEST(keeps({{ColourStepKind::kBrightness, 1.4f}, kHue}));
  BOOST_TEST(!keeps({}));
  BOOST_TEST(!keeps({kHue}, 1));
  BOOST_TEST(!keeps({{ColourStepKind::kBrightness, 1.4f}}));
  BOOST_TEST(!keeps({kHue, kHue}));
  BOOST_TEST(!keeps({kHue, {ColourStepKind::kBrightness, 1.4f}}));
  BOOST_TEST(!keeps({{ColourStepKind::kPosterize, 4}, kHue}));
}

// By hand: 7.9 is the most; a contrast of 2 may make 2 v - m, thrice a value; 25.5 is a tenth of white.
BOOST_AUTO_TEST_CASE(factors_that_may_be_too_large_are_not) {
  const ColourStep twice{ColourStepKind::kContrast, 2};
  const ColourStep up{ColourStepKind::kChannelShift, 25.5f};
  const auto brighter = [](float factor) {
    return ColourStep{ColourStepKind::kBrightness, factor};
  };
  BOOST_TEST(keeps({brighter(7.8f), kHue}));
  BOOST_TEST(!keeps({brighter(8), kHue}));
  BOOST_TEST(keeps({twice, brighter(2.6f), kHue}));
  BOOST_TEST(!keeps({twice, brighter(2.7f), kHue}));
  BOOST_TEST(keeps({brighter(7.7f), up, kHue}));
  BOOST_TEST(!keeps({up, brighter(7.7f), kHue}));
}

// More values than one sum of 32 bits holds, and not a multiple of a vector.
BOOST_AUTO_TEST_CASE(means_are_exact_on_every_vector_unit) {
  std::mt19937_64 random(93);
  for (const std::size_t plane_px : {std::size_t{1}, std::size_t{77}, std::size_t{100'003}}) {
    std::vector<std::int16_t> values(3 * plane_px);
    std::int64_t sums[3] = {};
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<std::int16_t>(32'640 - random() % 300);
      sums[i / plane_px] += values[i];
    }
    for_each_target([&] {
      const auto means = fixed_means({.values = values.data(), .plane_px = plane_px});
      for (std::size_t c = 0; c < 3; ++c) {
        const double mean = static_cast<double>(sums[c]) / 128 / static_cast<double>(plane_px);
        BOOST_TEST(means[c] == mean, boost::test_tools::tolerance(1e-14));
      }
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
