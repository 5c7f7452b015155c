#include "augment/colour/element_bits.h"

#include <boost/test/unit_test.hpp>
#include <utility>
#include <vector>

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
