// Counts what a test program allocates: it takes the place of malloc and its kin, of which operator
// new, libjpeg, libpng and oneTBB are users. For programs of their own, with glibc.
#pragma once

#include <cstdint>

namespace penstock::tests {

struct MallocCounts {
  std::uint64_t own = 0;  // ours, and of the libraries on the sample path
  std::uint64_t tbb = 0;  // by libtbb
  /// The function that called last, for messages; null when it has no name.
  const char* last_own_caller = nullptr;
};

/// Starts to count allocations of all threads, from 0.
void start_counting_mallocs();
MallocCounts stop_counting_mallocs();

/// Leaves out what all threads allocate while it lives, where counting was on.
class MallocPause {
 public:
  MallocPause();
  ~MallocPause();
  MallocPause(const MallocPause&) = delete;
  MallocPause& operator=(const MallocPause&) = delete;

 private:
  bool was_counting_;
};

}  // namespace penstock::tests
