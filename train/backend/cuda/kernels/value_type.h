// What values on the device are kept in. Includes no CUDA header.
#pragma once

#include <cstddef>
#include <cstdint>

namespace penstock::train::cuda {

/// Of activations, their gradients and the weights that enter products.
enum class ValueType : std::uint8_t { kFloat32, kFloat16, kBfloat16 };

constexpr std::size_t value_bytes(ValueType type) {
  return type == ValueType::kFloat32 ? 4 : 2;
}

}  // namespace penstock::train::cuda
