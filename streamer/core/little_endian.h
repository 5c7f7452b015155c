// Reads and writes integers as little-endian bytes, whatever the machine's own order.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace penstock {

template <std::unsigned_integral T>
T load_le(const std::byte* bytes) noexcept {
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
