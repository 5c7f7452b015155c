#include "tests/train/backend/cuda/on_device/shared_heap.h"

#include <pthread.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>

#include "streamer/core/error.h"
#include "tests/train/backend/cuda/on_device/device_under_test.h"
#include "train/backend/cuda/device_error.h"

namespace penstock::tests {
namespace {

constexpr std::size_t kHeapBytes = std::size_t{768} << 20;
constexpr std::size_t kStackBytes = std::size_t{16} << 20;
/// What compute-sanitizer is to know the end of.
constexpr std::size_t kLeastExactBytes = 64;

enum class PieceKind : std::uint64_t { kMalloc = 0x6d616c6c6f63, kShared, kExact };

/// In front of every piece, as wide as `new` aligns.
struct alignas(16) PieceHead {
  PieceKind kind;
  std::uint64_t power;  // of a shared one: 2^power bytes with the head
};

struct FreePiece {
  FreePiece* next;
};

/// Pieces of powers of two, cut off one after the other and kept in lists.
class SharedHeap {
 public:
  void open(std::byte* memory, bool is_exact) {
    at_ = memory;
    end_ = memory + kHeapBytes;
    is_exact_ = is_exact;
  }

  void* take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const std::size_t whole = bytes + sizeof(PieceHead);
    if (at_ == nullptr) return with_head(std::malloc(whole), {PieceKind::kMalloc, 0});
    if (is_exact_ && bytes >= kLeastExactBytes) return take_exact(whole);
    const auto power = static_cast<std::uint64_t>(std::bit_width(whole - 1));
    return with_head(take_shared(power), {PieceKind::kShared, power});
  }

  void give_back(void* piece) {
    const std::lock_guard lock(mutex_);
    PieceHead* const head = static_cast<PieceHead*>(piece) - 1;
    switch (head->kind) {
      case PieceKind::kMalloc:
        std::free(head);
        return;
      case PieceKind::kExact:
        DeviceUnderTest::get().functions().free_pinned(head);
        return;
      case PieceKind::kShared:
        free_[head->power] = new (head) FreePiece{free_[head->power]};
        return;
    }
    std::abort();  // written over
  }

 private:
  static void* with_head(void* memory, const PieceHead& head) {
    if (memory == nullptr) return nullptr;
    return new (memory) PieceHead(head) + 1;
  }

  void* take_shared(std::uint64_t power) {
    FreePiece*& list = free_[power];
    if (list != nullptr) {
      void* const piece = list;
      list = list->next;
      return piece;
    }
    const std::size_t bytes = std::size_t{1} << power;
    if (bytes > static_cast<std::size_t>(end_ - at_)) return nullptr;
    void* const piece = at_;
    at_ += bytes;
    return piece;
  }

  static void* take_exact(std::size_t bytes) {
    void* memory = nullptr;
    const char* const error = DeviceUnderTest::get().functions().allocate_pinned(bytes, &memory);
    return error == nullptr ? with_head(memory, {PieceKind::kExact, 0}) : nullptr;
  }

  std::recursive_mutex mutex_;  // who gives page-locked memory may take some
  std::byte* at_ = nullptr;
  std::byte* end_ = nullptr;
  bool is_exact_ = false;
  std::array<FreePiece*, 64> free_{};
};

SharedHeap& heap() {
  alignas(SharedHeap) static std::byte place[sizeof(SharedHeap)];
  static SharedHeap* const made =
      new (place) SharedHeap;  // statics give back after it would be gone
  return *made;
}

std::byte* allocate_shared(std::size_t bytes) {
  void* memory = nullptr;
  train::cuda::check_device(DeviceUnderTest::get().api().allocate_pinned(bytes, &memory),
                            "memory that host and device share");
  return static_cast<std::byte*>(memory);
}

struct SharedRun {
  const std::function<int()>& work;
  int result = 1;
};

void* run_in_thread(void* argument) {
  auto* const run = static_cast<SharedRun*>(argument);
  run->result = run->work();
  return nullptr;
}

}  // namespace

void share_heap_with_device() {
  heap().open(allocate_shared(kHeapBytes), std::getenv("PENSTOCK_EXACT_ALLOCATIONS") != nullptr);
}

int run_on_shared_stack(const std::function<int()>& work) {
  std::byte* const stack = allocate_shared(kStackBytes);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  check_internal(pthread_attr_setstack(&attributes, stack, kStackBytes) == 0, "a stack");
  SharedRun run{work};
  pthread_t thread;
  check_internal(pthread_create(&thread, &attributes, run_in_thread, &run) == 0, "a thread");
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  return run.result;
}

}  // namespace penstock::tests

// Those for wider alignment stay the library's: nothing that a kernel is given needs them.
void* operator new(std::size_t bytes) {
  if (void* const memory = penstock::tests::heap().take(bytes)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return penstock::tests::heap().take(bytes);
}
void* operator new[](std::size_t bytes) {
  return operator new(bytes);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return penstock::tests::heap().take(bytes);
}
void operator delete(void* memory) noexcept {
  if (memory != nullptr) penstock::tests::heap().give_back(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  operator delete(memory);
}
void operator delete[](void* memory) noexcept {
  operator delete(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  operator delete(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  operator delete(memory);
}
