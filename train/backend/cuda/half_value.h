// Values of 16 bits as the host reads them.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "train/backend/cuda/kernels/value_type.h"

namespace penstock::train::cuda {

/// Source  IEEE 754-2008, binary16: 1 sign, 5 exponent and 10 fraction bits, bias 15
inline float float16_value(std::uint16_t bits) noexcept {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  float value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? std::numeric_limits<float>::infinity()
                          : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(fraction), -24);
  } else {
    value = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  }
  return (bits & 0x8000) == 0 ? value : -value;
}

/// `type` is one of the two.
inline float half_value(ValueType type, std::uint16_t bits) noexcept {
  if (type == ValueType::kFloat16) return float16_value(bits);
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

}  // namespace penstock::train::cuda
