// Reads and writes integers as little-endian bytes, whatever the machine's own order.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace penstock {

template <std::unsigned_integral T>
T load_le(const std::byte* bytes) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    T value;
    std::memcpy(&value, bytes, sizeof value);  // one instruction, which g++ 12 makes of no loop
    return value;
  }
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | static_cast<T>(static_cast<T>(bytes[i]) << (8 * i)));
  }
  return value;
}

template <std::unsigned_integral T>
void store_le(T value, std::byte* bytes) noexcept {
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = static_cast<std::byte>(value >> (8 * i));
}

}  // namespace penstock
