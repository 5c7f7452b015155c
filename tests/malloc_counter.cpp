#include "tests/malloc_counter.h"

#include <dlfcn.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>

// glibc's own, behind the names that are taken here (The GNU C Library, "Replacing malloc").
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t num, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
}

namespace penstock::tests {
namespace {

std::atomic<bool> is_counting = false;
std::atomic<std::uint64_t> num_own = 0;
std::atomic<std::uint64_t> num_tbb = 0;
std::atomic<const char*> last_own_caller = nullptr;

void count(const void* caller) {
  if (!is_counting.load(std::memory_order_relaxed)) return;
  Dl_info info{};
  const bool is_known = dladdr(caller, &info) != 0;
  if (is_known && std::strstr(info.dli_fname, "libtbb") != nullptr) {
    ++num_tbb;
    return;
  }
  ++num_own;
  if (is_known) last_own_caller = info.dli_sname != nullptr ? info.dli_sname : info.dli_fname;
}

}  // namespace

void start_counting_mallocs() {
  num_own = 0;
  num_tbb = 0;
  last_own_caller = nullptr;
  is_counting = true;
}

MallocCounts stop_counting_mallocs() {
  is_counting = false;
  return {.own = num_own, .tbb = num_tbb, .last_own_caller = last_own_caller};
}

MallocPause::MallocPause() : was_counting_(is_counting.exchange(false)) {}

MallocPause::~MallocPause() {
  is_counting = was_counting_;
}

}  // namespace penstock::tests

using penstock::tests::count;

extern "C" {

void* malloc(std::size_t bytes) {
  count(__builtin_return_address(0));
  return __libc_malloc(bytes);
}

void* calloc(std::size_t num, std::size_t bytes) {
  count(__builtin_return_address(0));
  return __libc_calloc(num, bytes);
}

void* realloc(void* memory, std::size_t bytes) {
  count(__builtin_return_address(0));
  return __libc_realloc(memory, bytes);
}

void* memalign(std::size_t alignment, std::size_t bytes) {
  count(__builtin_return_address(0));
  return __libc_memalign(alignment, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  count(__builtin_return_address(0));
  return __libc_memalign(alignment, bytes);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  count(__builtin_return_address(0));
  *memory = __libc_memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}

}  // extern "C"
