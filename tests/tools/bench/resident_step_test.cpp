#include "tools/bench/resident_step.h"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>

namespace penstock::tools::bench {
namespace {

constexpr unsigned kSeed = 1;

BatchSpec spec_of(ElementType element) {
  return {.batch = 8, .height_px = 16, .width_px = 16, .channels = 3, .element = element};
}

/// A pixel of either type by its bits: a bfloat16 is the upper half of a float32.
template <class Bits>
std::vector<float> pixels_of(const MadeUpBatch& batch, std::size_t num_pixels) {
  const BatchLease lease = batch.lease();
  std::vector<float> pixels;
  for (std::size_t i = 0; i < num_pixels; ++i) {
    Bits bits = 0;
    std::memcpy(&bits, lease.view().pixels + i * sizeof(Bits), sizeof(Bits));
    pixels.push_back(std::bit_cast<float>(std::uint32_t{bits} << (32 - 8 * sizeof(Bits))));
  }
  return pixels;
}

BOOST_AUTO_TEST_SUITE(resident_step)

BOOST_AUTO_TEST_CASE(pixels_in_bfloat16_are_those_in_float32_rounded) {
  constexpr std::size_t kNumPixels = 8 * 3 * 16 * 16;
  const auto exact =
      pixels_of<std::uint32_t>(MadeUpBatch(spec_of(ElementType::kFloat32), 10, kSeed), kNumPixels);
  const auto rounded =
      pixels_of<std::uint16_t>(MadeUpBatch(spec_of(ElementType::kBfloat16), 10, kSeed), kNumPixels);
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < kNumPixels; ++i) {
    sum += exact[i];
    squares += exact[i] * exact[i];
    // 8 significant bits: rounding moves a value by at most half a unit of the last, 2^-8 of it.
    BOOST_REQUIRE_LE(std::abs(rounded[i] - exact[i]), std::abs(exact[i]) / 256);
  }
  // Normal: a mean of so many is within 5 / sqrt(6144) = 0.064 of 0, a variance within 0.091 of 1.
  BOOST_TEST(std::abs(sum / kNumPixels) < 0.064);
  BOOST_TEST(std::abs(squares / kNumPixels - 1) < 0.091);
}

// 11 significant bits, and nothing below 2^-24. Read by the rules of the format.
BOOST_AUTO_TEST_CASE(pixels_in_float16_are_those_in_float32_rounded) {
  constexpr std::size_t kNumPixels = 8 * 3 * 16 * 16;
  const auto exact =
      pixels_of<std::uint32_t>(MadeUpBatch(spec_of(ElementType::kFloat32), 10, kSeed), kNumPixels);
  const MadeUpBatch rounded(spec_of(ElementType::kFloat16), 10, kSeed);
  const BatchLease lease = rounded.lease();
  for (std::size_t i = 0; i < kNumPixels; ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, lease.view().pixels + 2 * i, 2);
    const int exponent = bits >> 10 & 31;
    const int fraction = bits & 1023;
    const float size = exponent == 0
                           ? std::ldexp(static_cast<float>(fraction), -24)
                           : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
    const float pixel = (bits & 0x8000) != 0 ? -size : size;
    BOOST_REQUIRE_LE(std::abs(pixel - exact[i]), std::max(std::abs(exact[i]) / 2048, 0x1p-25f));
  }
}

BOOST_AUTO_TEST_CASE(bytes_take_every_value) {
  const MadeUpBatch batch(spec_of(ElementType::kUint8), 10, kSeed);
  const BatchLease lease = batch.lease();
  std::array<int, 256> counts{};
  for (std::size_t i = 0; i < 8 * 3 * 16 * 16; ++i) {
    ++counts[std::to_integer<std::size_t>(lease.view().pixels[i])];
  }
  // 24 of each on average, with a deviation of 5.
  for (const int count : counts) BOOST_TEST((count > 0 && count < 60));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools::bench
