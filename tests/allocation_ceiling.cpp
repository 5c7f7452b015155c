#include "tests/allocation_ceiling.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> g_max_bytes{SIZE_MAX};
void* allocate(std::size_t num_bytes) noexcept {
  return num_bytes <= g_max_bytes ? std::malloc(num_bytes == 0 ? 1 : num_bytes) : nullptr;
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
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace penstock::tests {

AllocationCeiling::AllocationCeiling(std::size_t max_bytes) {
  g_max_bytes = max_bytes;
}
AllocationCeiling::~AllocationCeiling() {
  g_max_bytes = SIZE_MAX;
}

}  // namespace penstock::tests
