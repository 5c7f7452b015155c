// Numbers out of untrusted bytes: every read is checked against the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace penstock::convert {

enum class ByteOrder { kLittle, kBig };

/// Reads an unsigned number of `num_bytes` (at most 8) at `offset`; nothing when it reaches past
/// the end.
constexpr std::optional<std::uint64_t> read_number(std::span<const std::byte> bytes,
                                                   std::uint64_t offset, std::size_t num_bytes,
                                                   ByteOrder order) noexcept {
  if (offset > bytes.size() || bytes.size() - offset < num_bytes) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < num_bytes; ++i) {
    const std::size_t at = order == ByteOrder::kBig ? i : num_bytes - 1 - i;
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[offset + at]);
  }
  return value;
}

}  // namespace penstock::convert
