// Work over many samples on plain threads, and how long it took.
#pragma once

#include <sched.h>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace penstock::tools::bench {

/// Samples [begin, end) for thread `thread_idx`.
struct Share {
  std::uint32_t thread_idx = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// What a run took: time on the clock, and CPU time of the whole process. A neighbour on a shared
/// machine lengthens the first much more than the second.
struct RunTime {
  double seconds = 0;
  double cpu_seconds = 0;
  std::uint64_t num_failed = 0;  // samples that came to nothing, as far as the work says
};

/// Cuts `num_items` into small shares, gives them to `num_threads` threads as they become free, and
/// returns the time from the first thread's start until the last is done.
///
/// Errors  the first exception of a thread is thrown after all have ended
RunTime run_on_threads(std::uint32_t num_threads, std::size_t num_items,
                       const std::function<void(const Share&)>& work);

/// Seconds of CPU time that this process has used, all threads together.
double process_cpu_seconds();

/// Keeps the calling thread, and what it starts meanwhile, on the first `num_cores` of the cores
/// that it may use; as it was on destruction.
class CoreLimit {
 public:
  explicit CoreLimit(std::uint32_t num_cores);
  CoreLimit(const CoreLimit&) = delete;
  CoreLimit& operator=(const CoreLimit&) = delete;
  ~CoreLimit();

 private:
  cpu_set_t before_;
};

}  // namespace penstock::tools::bench
