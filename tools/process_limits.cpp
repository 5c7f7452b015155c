#include "tools/process_limits.h"

#include <malloc.h>
#include <sys/resource.h>

#include <csignal>

namespace penstock::tools {

void raise_open_file_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  // Refused: the limit stays, and a shard that cannot be opened says so.
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

void return_freed_memory() noexcept {
  // Set by hand, so that the allocator does not raise them as it goes.
  constexpr int kLargeBytes = 1 << 20;
  constexpr int kMaxHeaps = 4;
  static_cast<void>(::mallopt(M_MMAP_THRESHOLD, kLargeBytes));
  static_cast<void>(::mallopt(M_TRIM_THRESHOLD, 4 * kLargeBytes));
  static_cast<void>(::mallopt(M_ARENA_MAX, kMaxHeaps));
}

void ignore_file_size_signal() noexcept {
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace penstock::tools
