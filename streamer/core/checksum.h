// XXH3 behind two plain functions, so that only one file knows the library.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace penstock {

/// 128-bit content hash, most significant byte first (XXH3's canonical form).
using Digest128 = std::array<std::uint8_t, 16>;

std::uint64_t xxh3_64(std::span<const std::byte> bytes) noexcept;
Digest128 xxh3_128(std::span<const std::byte> bytes) noexcept;

inline std::uint64_t xxh3_64(std::string_view text) noexcept {
  return xxh3_64(std::as_bytes(std::span(text)));
}

/// Hashes a long stream piece by piece; equal to the one-shot functions.
class StreamHasher {
 public:
  StreamHasher();
  ~StreamHasher();
  StreamHasher(const StreamHasher&) = delete;
  StreamHasher& operator=(const StreamHasher&) = delete;

  /// Begins another stream.
  void reset() noexcept;
  void update(std::span<const std::byte> bytes) noexcept;
  void update(std::string_view text) noexcept { update(std::as_bytes(std::span(text))); }
  std::uint64_t digest_64() const noexcept;
  Digest128 digest_128() const noexcept;

 private:
  void* state_;  // XXH3_state_t
};

/// Formats as lower-case hexadecimal, most significant digit first.
std::string hex(std::uint64_t value);
std::string hex(const Digest128& digest);

}  // namespace penstock
