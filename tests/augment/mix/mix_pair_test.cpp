#include "augment/mix/mix_pair.h"

#include <hwy/targets.h>

#include <array>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "augment/element_bits.h"

namespace penstock::augment {
namespace {

constexpr std::array kTypes = {ElementType::kUint8, ElementType::kFloat16, ElementType::kBfloat16,
                               ElementType::kFloat32};

// A finite value of a type, normalised pixels mostly, some of them extreme.
void put_value(ElementType type, std::byte* at, std::mt19937_64& random) {
  const bool is_wild = random() % 4 == 0;
  const float value = std::normal_distribution<float>(0, is_wild ? 1e-6f : 2)(random);
  switch (type) {
    case ElementType::kUint8:
      *at = static_cast<std::byte>(random());
      return;
    default:
      return write_element(type, value, at);
  }
}

// By definition, in double: sign, exponent and fraction. 10 binary places or 7.
double value_of_bits(std::uint16_t bits, int places, int exponent_bias) {
  const double sign = bits & 0x8000 ? -1 : 1;
  const int exponent = (bits & 0x7FFF) >> places;
  const int fraction = bits & ((1 << places) - 1);
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - exponent_bias - places);
  return sign * std::ldexp(fraction + (1 << places), exponent - exponent_bias - places);
}

double value_of(ElementType type, const std::byte* at) {
  std::uint16_t half = 0;
  float value = 0;
  switch (type) {
    case ElementType::kUint8:
      return static_cast<double>(*at);
    case ElementType::kFloat16:
      std::memcpy(&half, at, 2);
      return value_of_bits(half, 10, 15);
    case ElementType::kBfloat16:
      std::memcpy(&half, at, 2);
      return value_of_bits(half, 7, 127);
    case ElementType::kFloat32:
      std::memcpy(&value, at, 4);
      return static_cast<double>(value);
  }
  return 0;
}

/// Half the distance of neighbouring values about `value`, and what float32 lost on the way.
double tolerance_of(ElementType type, double value) {
  const double float_error = 4e-7 * (1 + std::abs(value));
  switch (type) {
    case ElementType::kUint8:
      return 0.5 + 1e-4;
    case ElementType::kFloat16:
      return std::max(std::abs(value) * 0x1p-11, 0x1p-25) + float_error;
    case ElementType::kBfloat16:
      return std::abs(value) * 0x1p-8 + float_error;
    case ElementType::kFloat32:
      return float_error;
  }
  return 0;
}

BOOST_AUTO_TEST_SUITE(mix_pair_suite)

// By hand: 0.25 * 8 + 0.75 * 16 = 14, and the other way round 10. Bytes: 0.25 * 10 + 0.75 * 20 = 17.5,
// tied, to the even 18; 0.25 * 20 + 0.75 * 10 = 12.5, to 12.
BOOST_AUTO_TEST_CASE(two_values_by_hand) {
  const MixShares shares{.own = 0.25f, .other = 0.75f};
  float a = 8;
  float b = 16;
  mix_pair({.first = reinterpret_cast<std::byte*>(&a),
            .second = reinterpret_cast<std::byte*>(&b),
            .num_values = 1},
           shares);
  BOOST_TEST(a == 14.0f);
  BOOST_TEST(b == 10.0f);
  std::byte first{10};
  std::byte second{20};
  mix_pair({.first = &first, .second = &second, .num_values = 1, .element = ElementType::kUint8},
           shares);
  BOOST_TEST(static_cast<int>(first) == 18);
  BOOST_TEST(static_cast<int>(second) == 12);
}

BOOST_AUTO_TEST_CASE(every_vector_unit_equals_the_scalar_twin_and_both_the_mixture_in_double) {
  constexpr std::uint64_t kSeed = 991;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  for (std::int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1) {
    hwy::SetSupportedTargetsForTest(left & -left);
    std::mt19937_64 random(kSeed);
    for (int trial = 0; trial < 400; ++trial) {
      const ElementType type = kTypes[static_cast<std::size_t>(trial) % 4];
      const std::size_t bytes = element_bytes(type);
      const std::size_t count = random() % 150;
      const std::size_t offset = random() % 8;  // no alignment is needed
      std::vector<std::byte> memory(offset + (2 * count + 1) * bytes, std::byte{0xAB});
      std::byte* const first = memory.data() + offset;
      std::byte* const second = first + (count + 1) * bytes;  // one value of nobody between them
      for (std::size_t i = 0; i < count; ++i) {
        put_value(type, first + i * bytes, random);
        put_value(type, second + i * bytes, random);
      }
      const std::vector<std::byte> before = memory;
      std::vector<std::byte> twin = memory;
      // The mean of two values often lies half-way between neighbours.
      const float own = trial % 3 == 0 ? 0.5f : std::uniform_real_distribution<float>(0, 1)(random);
      const MixShares shares{.own = own, .other = 1 - own};
      mix_pair({first, second, count, type}, shares);
      mix_pair_scalar(
          {twin.data() + offset, twin.data() + offset + (count + 1) * bytes, count, type}, shares);
      BOOST_REQUIRE_MESSAGE(memory == twin, "trial " << trial);
      for (std::size_t i = 0; i < offset; ++i) BOOST_REQUIRE((memory[i] == std::byte{0xAB}));
      for (std::size_t i = 0; i < bytes; ++i)
        BOOST_REQUIRE((first[count * bytes + i] == std::byte{0xAB}));
      for (std::size_t i = 0; i < count; ++i) {
        const double a = value_of(type, &before[offset + i * bytes]);
        const double b = value_of(type, &before[offset + (count + 1 + i) * bytes]);
        const double share = static_cast<double>(own);
        const double expected = share * a + (1 - share) * b;
        const double found = value_of(type, first + i * bytes);
        BOOST_REQUIRE_MESSAGE(std::abs(found - expected) <= tolerance_of(type, expected),
                              "trial " << trial << ": " << found << ", expected " << expected);
      }
    }
    hwy::SetSupportedTargetsForTest(0);
  }
}

// Any bits, NaN and infinities too: a NaN comes out as the same NaN.
BOOST_AUTO_TEST_CASE(every_vector_unit_equals_the_scalar_twin_for_every_element_there_is) {
  const MixShares shares{.own = 1, .other = 0};
  for (std::int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1) {
    hwy::SetSupportedTargetsForTest(left & -left);
    for (const ElementType type : {ElementType::kFloat16, ElementType::kBfloat16}) {
      std::vector<std::uint16_t> all(0x10000);
      for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
      std::vector<std::uint16_t> zeros(all.size());
      std::vector<std::uint16_t> twin = all;
      std::vector<std::uint16_t> twin_zeros(all.size());
      const auto pair = [&](std::vector<std::uint16_t>& a, std::vector<std::uint16_t>& b) {
        return MixedPair{reinterpret_cast<std::byte*>(a.data()),
                         reinterpret_cast<std::byte*>(b.data()), a.size(), type};
      };
      mix_pair(pair(all, zeros), shares);
      mix_pair_scalar(pair(twin, twin_zeros), shares);
      BOOST_TEST((all == twin));
      BOOST_TEST((zeros == twin_zeros));
    }
    hwy::SetSupportedTargetsForTest(0);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
