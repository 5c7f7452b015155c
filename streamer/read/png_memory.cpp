#include "streamer/read/png_memory.h"

#include <algorithm>
#include <cstdint>
#include <memory>

namespace penstock {
namespace {

constexpr std::size_t kAlignmentBytes = 16;  // of malloc

// Stands before each piece.
struct alignas(kAlignmentBytes) Piece {
  std::byte* below = nullptr;  // head of the piece taken before
  bool is_free = false;
};

Piece& piece_at(std::byte* head) noexcept {
  return *reinterpret_cast<Piece*>(head);
}

}  // namespace

void PngMemory::lend(std::span<std::byte> scratch) noexcept {
  void* begin = scratch.data();
  std::size_t size_bytes = scratch.size();
  if (std::align(kAlignmentBytes, 0, begin, size_bytes) == nullptr) size_bytes = 0;
  *this = {};
  begin_ = static_cast<std::byte*>(begin);
  size_bytes_ = size_bytes;
}

void* PngMemory::take(std::size_t bytes) noexcept {
  const std::size_t left = size_bytes_ - used_bytes_;
  const std::size_t padded = (bytes + kAlignmentBytes - 1) & ~(kAlignmentBytes - 1);
  if (padded < bytes || left < sizeof(Piece) || padded > left - sizeof(Piece)) return nullptr;
  std::byte* const head = begin_ + used_bytes_;
  std::construct_at(reinterpret_cast<Piece*>(head), Piece{.below = last_piece_});
  last_piece_ = head;
  used_bytes_ += sizeof(Piece) + padded;
  most_used_bytes_ = std::max(most_used_bytes_, used_bytes_);
  return head + sizeof(Piece);
}

void PngMemory::give_back(void* piece) noexcept {
  if (piece == nullptr) return;
  piece_at(static_cast<std::byte*>(piece) - sizeof(Piece)).is_free = true;
  while (last_piece_ != nullptr && piece_at(last_piece_).is_free) {
    used_bytes_ = static_cast<std::size_t>(last_piece_ - begin_);
    last_piece_ = piece_at(last_piece_).below;
  }
}

}  // namespace penstock
