// Refuses large allocations while a test looks, so that a size taken from a file unchecked shows.
#pragma once

#include <cstddef>

namespace penstock::tests {

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
