// Counts what a test program allocates, and refuses large allocations while a test looks, so that a
// size taken from a file unchecked shows.
#pragma once

#include <cstddef>

namespace penstock::tests {

/// Bytes that `operator new` has out, malloc's overhead included, and the most since reset_peak().
struct AllocatedBytes {
  std::size_t now = 0;
  std::size_t peak = 0;
};
AllocatedBytes allocated_bytes() noexcept;
void reset_peak() noexcept;

/// While it lives, `operator new` throws std::bad_alloc for anything above `max_bytes`, in every
/// thread. For programs that compile allocation_ceiling.cpp; one at a time.
class AllocationCeiling {
 public:
  explicit AllocationCeiling(std::size_t max_bytes);
  AllocationCeiling(const AllocationCeiling&) = delete;
  AllocationCeiling& operator=(const AllocationCeiling&) = delete;
  ~AllocationCeiling();
};

}  // namespace penstock::tests
