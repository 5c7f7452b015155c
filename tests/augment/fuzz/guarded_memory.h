// Memory between two pages that nobody may touch: what reads or writes a byte outside ends the program.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <span>

namespace penstock::augment {

/// At which end of the memory a guarded place lies.
enum class GuardedEnd { kFront, kBack };

/// Lends one place at a time, its bytes filled with `garbage`.
class GuardedMemory {
 public:
  explicit GuardedMemory(std::size_t capacity_bytes)
      : page_bytes_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))),
        inner_bytes_((capacity_bytes + page_bytes_ - 1) / page_bytes_ * page_bytes_) {
    void* const all = mmap(nullptr, inner_bytes_ + 2 * page_bytes_, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) throw std::bad_alloc();
    all_ = static_cast<std::byte*>(all);
    if (mprotect(all_ + page_bytes_, inner_bytes_, PROT_READ | PROT_WRITE) != 0) {
      munmap(all_, inner_bytes_ + 2 * page_bytes_);
      throw std::bad_alloc();
    }
  }
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;
  ~GuardedMemory() { munmap(all_, inner_bytes_ + 2 * page_bytes_); }

  std::size_t capacity_bytes() const noexcept { return inner_bytes_; }

  /// Exactly `num_bytes`, at most capacity_bytes(), beside the guard of that end. At the back they end
  /// up to `alignment` - 1 bytes before it, so that they begin aligned.
  std::span<std::byte> place(std::size_t num_bytes, GuardedEnd end, std::byte garbage,
                             std::size_t alignment = 1) noexcept {
    std::byte* const inner = all_ + page_bytes_;
    const std::size_t gap = (inner_bytes_ - num_bytes) / alignment * alignment;
    std::byte* const begin = end == GuardedEnd::kFront ? inner : inner + gap;
    std::memset(begin, static_cast<int>(garbage), num_bytes);
    return {begin, num_bytes};
  }

 private:
  std::size_t page_bytes_;
  std::size_t inner_bytes_;
  std::byte* all_ = nullptr;
};

}  // namespace penstock::augment
