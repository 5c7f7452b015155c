// libpng's memory, zlib's included, over a span that the caller lends: a picture costs no malloc,
// and no more than was priced.
#pragma once

#include <cstddef>
#include <span>

namespace penstock {

/// Hands out pieces from the bottom up. What is given back counts again once everything above it
/// was given back too: libpng renews one buffer while a picture is read, and frees all at its end.
class PngMemory {
 public:
  void lend(std::span<std::byte> scratch) noexcept;
  /// Returns null when there is no room.
  void* take(std::size_t bytes) noexcept;
  void give_back(void* piece) noexcept;
  /// The most that was out at a time since the last span was lent.
  std::size_t most_used_bytes() const noexcept { return most_used_bytes_; }

 private:
  std::byte* begin_ = nullptr;
  std::size_t size_bytes_ = 0;
  std::size_t used_bytes_ = 0;
  std::size_t most_used_bytes_ = 0;
  std::byte* last_piece_ = nullptr;  // its head: a Piece
};

}  // namespace penstock
