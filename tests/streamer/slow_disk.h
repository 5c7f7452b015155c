// A disk that a test slows down: an executable that links slow_disk.cpp reads through it.
#pragma once

#include <chrono>
#include <cstdint>

namespace penstock::tests {

/// Makes every pread() of this process take `delay` longer while it lives.
///
/// Threads  one instance at a time; num_reads() from any
class SlowDisk {
 public:
  explicit SlowDisk(std::chrono::microseconds delay);
  SlowDisk(const SlowDisk&) = delete;
  SlowDisk& operator=(const SlowDisk&) = delete;
  ~SlowDisk();

  /// Calls that came back since it was made.
  std::uint64_t num_reads() const noexcept;
  /// Calls of posix_fadvise(POSIX_FADV_WILLNEED) since it was made.
  std::uint64_t num_read_aheads() const noexcept;
};

}  // namespace penstock::tests
