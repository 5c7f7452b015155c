// Elements of a batch as numbers, by the definitions of their types and not by the code under test.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "streamer/core/batch.h"

namespace penstock::augment {

/// IEEE 754 binary16.
inline double value_of_float16(std::uint16_t bits) {
  const int fraction = bits & 0x3FF;
  const int exponent = bits >> 10 & 31;
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == 31 && fraction != 0) return std::numeric_limits<double>::quiet_NaN();
  if (exponent == 31) return sign * std::numeric_limits<double>::infinity();
  return sign *
         (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

/// The values of some elements, one after the other.
inline std::vector<double> element_values(std::span<const std::byte> bytes, ElementType element) {
  const std::size_t size = element_bytes(element);
  std::vector<double> values(bytes.size() / size);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, bytes.data() + i * size, size);
    if (element == ElementType::kUint8) values[i] = bits;
    if (element == ElementType::kFloat32) values[i] = std::bit_cast<float>(bits);
    if (element == ElementType::kBfloat16) values[i] = std::bit_cast<float>(bits << 16);
    if (element == ElementType::kFloat16) {
      values[i] = value_of_float16(static_cast<std::uint16_t>(bits));
    }
  }
  return values;
}

/// What rounding to the nearest element takes from a value at most.
inline double element_rounding(ElementType element, double value) {
  const double size = std::abs(value);
  switch (element) {
    case ElementType::kUint8:
      return 0.5;
    case ElementType::kFloat16:  // 11 binary digits, none below 2^-24
      return std::max(size * 0x1p-11, 0x1p-25);
    case ElementType::kBfloat16:  // 8
      return size * 0x1p-8;
    case ElementType::kFloat32:
      return size * 0x1p-24;
  }
  return 0;
}

}  // namespace penstock::augment
