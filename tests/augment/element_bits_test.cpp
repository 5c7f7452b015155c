#include "augment/element_bits.h"

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <opencv2/core.hpp>
#include <random>
#include <utility>
#include <vector>

#include "tests/augment/element_values.h"

namespace penstock::augment {
namespace {

BOOST_AUTO_TEST_SUITE(element_bits)

// numpy 2.3, float32 to float16; halves of the last place: 1 + 2^-11, 1 + 3 * 2^-11, 2^-25, 3 * 2^-25.
BOOST_AUTO_TEST_CASE(float16_is_rounded_as_numpy_does) {
  const std::vector<std::pair<float, int>> expected = {
      {0, 0x0000},        {-0.0f, 0x8000},        {1, 0x3C00},
      {-2, 0xC000},       {0.1f, 0x2E66},         {1.0f / 3, 0x3555},
      {65504, 0x7BFF},    {65519, 0x7BFF},        {65520, 0x7C00},
      {70000, 0x7C00},    {0x1p-14f, 0x0400},     {6.1e-5f, 0x03FF},
      {0x1p-24f, 0x0001}, {0x1p-25f, 0x0000},     {0x3p-25f, 0x0002},
      {-5.9e-8f, 0x8001}, {1 + 0x1p-11f, 0x3C00}, {1 + 0x3p-11f, 0x3C02},
      {2047.5f, 0x6800},  {1e-9f, 0x0000}};
  for (const auto& [value, bits] : expected) {
    BOOST_TEST(float16_bits(value) == bits, value << " gives " << float16_bits(value));
  }
}

// torch 2.15, float32 to bfloat16; halves of the last place: 1 + 2^-8, 1 + 3 * 2^-8.
BOOST_AUTO_TEST_CASE(bfloat16_is_rounded_as_torch_does) {
  const std::vector<std::pair<float, int>> expected = {{0, 0x0000},
                                                       {1, 0x3F80},
                                                       {-2, 0xC000},
                                                       {0.1f, 0x3DCD},
                                                       {1 + 0x1p-8f, 0x3F80},
                                                       {1 + 0x3p-8f, 0x3F82},
                                                       {3.3895314e38f, 0x7F7F},
                                                       {3.40e38f, 0x7F80},
                                                       {1.0f / 3, 0x3EAB},
                                                       {-255.3f, 0xC37F},
                                                       {1e-40f, 0x0001}};
  for (const auto& [value, bits] : expected) {
    BOOST_TEST(bfloat16_bits(value) == bits, value << " gives " << bfloat16_bits(value));
  }
}

// torch.round: halves to even.
BOOST_AUTO_TEST_CASE(uint8_is_the_nearest_within_its_range) {
  const std::vector<std::pair<float, int>> expected = {
      {0, 0},     {0.5f, 0},     {0.51f, 1},  {1.5f, 2},  {2.5f, 2},     {254.5f, 254},
      {255, 255}, {255.2f, 255}, {1000, 255}, {-0.2f, 0}, {-1000.0f, 0}, {127.49f, 127}};
  for (const auto& [value, bits] : expected) {
    BOOST_TEST(int{uint8_bits(value)} == bits, value << " gives " << int{uint8_bits(value)});
  }
}

// Against OpenCV's float16_t, which rounds to nearest even too.
BOOST_AUTO_TEST_CASE(every_float16_is_read_as_opencv_reads_it) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const auto expected = static_cast<float>(cv::float16_t::fromBits(half));
    const float found = float_of_float16(half);
    if (std::isnan(expected)) {
      BOOST_REQUIRE(std::isnan(found));
    } else {
      BOOST_REQUIRE(std::bit_cast<std::uint32_t>(found) == std::bit_cast<std::uint32_t>(expected));
      BOOST_REQUIRE(float16_bits(found) == half);
    }
  }
}

BOOST_AUTO_TEST_CASE(floats_are_rounded_to_float16_as_opencv_rounds_them) {
  std::mt19937_64 random(4);
  const auto check = [](float value) {
    const std::uint16_t expected = cv::float16_t(value).bits();
    BOOST_REQUIRE_MESSAGE(float16_bits(value) == expected, value);
  };
  for (int i = 0; i < 200'000; ++i) {
    const float scale = std::ldexp(1.0f, static_cast<int>(random() % 44) - 27);
    check(std::normal_distribution<float>()(random) * scale);
  }
  // What lies half-way between neighbours, one below and one above it.
  for (std::uint16_t half = 0; half < 0x7C00; half = static_cast<std::uint16_t>(half + 1)) {
    const double here = value_of_float16(half);
    const double next = value_of_float16(static_cast<std::uint16_t>(half + 1));
    const auto middle = static_cast<float>((here + next) / 2);
    for (const float value : {middle, std::nextafter(middle, 0.0f), std::nextafter(middle, 1e9f)}) {
      check(value);
      check(-value);
    }
  }
  for (const float value : {65519.9f, 65520.0f, 65536.0f, 1e9f, INFINITY, -INFINITY, 0.0f, -0.0f}) {
    check(value);
  }
  BOOST_TEST((float16_bits(NAN) & 0x7C00) == 0x7C00);
  BOOST_TEST((float16_bits(NAN) & 0x3FF) != 0);
}

// By hand: bfloat16 is the upper half of a float. 1 + 2^-8 is tied and goes to the even 1, 1 + 3 * 2^-8
// to 1 + 2^-6; a carry may reach the exponent, and infinity.
BOOST_AUTO_TEST_CASE(floats_are_rounded_to_bfloat16_to_the_nearest_and_even) {
  const auto rounded = [](float value) { return float_of_bfloat16(bfloat16_bits(value)); };
  BOOST_TEST(bfloat16_bits(1.0f) == 0x3F80);
  BOOST_TEST(bfloat16_bits(-2.5f) == 0xC020);
  BOOST_TEST(rounded(1 + 0x1p-8f) == 1.0f);
  BOOST_TEST(rounded(std::nextafter(1 + 0x1p-8f, 2.0f)) == 1 + 0x1p-7f);
  BOOST_TEST(rounded(1 + 3 * 0x1p-8f) == 1 + 0x1p-6f);
  BOOST_TEST(rounded(std::nextafter(2.0f, 0.0f)) == 2.0f);
  BOOST_TEST(std::isinf(rounded(std::numeric_limits<float>::max())));
  BOOST_TEST(std::isnan(rounded(std::bit_cast<float>(0x7F800001u))));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
