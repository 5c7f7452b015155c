#include "tests/allocation_ceiling.h"

#include <malloc.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> g_max_bytes{SIZE_MAX};
std::atomic<std::size_t> g_now_bytes{0};
std::atomic<std::size_t> g_peak_bytes{0};

// glibc keeps a chunk's size in a word before it.
std::size_t chunk_bytes(void* memory) noexcept {
  return ::malloc_usable_size(memory) + sizeof(std::size_t);
}
void* allocate(std::size_t num_bytes) noexcept {
  if (num_bytes > g_max_bytes) return nullptr;
  void* const memory = std::malloc(num_bytes == 0 ? 1 : num_bytes);
  if (memory == nullptr) return nullptr;
  const std::size_t now = g_now_bytes += chunk_bytes(memory);
  std::size_t peak = g_peak_bytes;
  while (peak < now && !g_peak_bytes.compare_exchange_weak(peak, now)) {
  }
  return memory;
}
void release(void* memory) noexcept {
  if (memory == nullptr) return;
  g_now_bytes -= chunk_bytes(memory);
  std::free(memory);
}
}  // namespace

// All forms, since a sanitizer brings its own of each; none of the code under test allocates with an
// alignment of its own.
void* operator new(std::size_t num_bytes, const std::nothrow_t&) noexcept {
  return allocate(num_bytes);
}
void* operator new[](std::size_t num_bytes, const std::nothrow_t&) noexcept {
  return allocate(num_bytes);
}
void* operator new(std::size_t num_bytes) {
  if (void* const memory = allocate(num_bytes)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t num_bytes) {
  return operator new(num_bytes);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete[](void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  release(memory);
}

namespace penstock::tests {

AllocatedBytes allocated_bytes() noexcept {
  return {.now = g_now_bytes, .peak = g_peak_bytes};
}
void reset_peak() noexcept {
  g_peak_bytes = g_now_bytes.load();
}

AllocationCeiling::AllocationCeiling(std::size_t max_bytes) {
  g_max_bytes = max_bytes;
}
AllocationCeiling::~AllocationCeiling() {
  g_max_bytes = SIZE_MAX;
}

}  // namespace penstock::tests
