#include "tools/bench/bench_threads.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include "streamer/core/error.h"

namespace penstock::tools::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

RunTime run_on_threads(std::uint32_t num_threads, std::size_t num_items,
                       const std::function<void(const Share&)>& work) {
  // Small enough that no thread waits long for the last, large enough that handing out costs
  // nothing.
  const std::size_t share = std::clamp<std::size_t>(num_items / (num_threads * 64), 1, 256);
  std::atomic<std::size_t> next{0};
  std::latch all_there(num_threads);
  std::mutex mutex;
  std::exception_ptr error;               // guarded by mutex
  auto start = Clock::time_point::max();  // guarded by mutex
  auto end = Clock::time_point::min();    // guarded by mutex
  const double cpu_start = process_cpu_seconds();
  std::vector<std::jthread> threads;
  for (std::uint32_t i = 0; i < num_threads; ++i) {
    threads.emplace_back([&, i] {
      all_there.arrive_and_wait();
      const auto own_start = Clock::now();
      std::exception_ptr own_error;
      try {
        for (std::size_t begin; (begin = next.fetch_add(share)) < num_items;) {
          work({i, begin, std::min(begin + share, num_items)});
        }
      } catch (...) {
        own_error = std::current_exception();
      }
      const std::scoped_lock lock(mutex);
      start = std::min(start, own_start);
      end = std::max(end, Clock::now());
      if (error == nullptr) error = own_error;
    });
  }
  threads.clear();  // joins
  if (error != nullptr) std::rethrow_exception(error);
  return {.seconds = std::chrono::duration<double>(end - start).count(),
          .cpu_seconds = process_cpu_seconds() - cpu_start};
}

double process_cpu_seconds() {
  rusage usage{};
  check_internal(getrusage(RUSAGE_SELF, &usage) == 0, "getrusage failed");
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

CoreLimit::CoreLimit(std::uint32_t num_cores) {
  check_internal(sched_getaffinity(0, sizeof before_, &before_) == 0, "sched_getaffinity failed");
  cpu_set_t fewer;
  CPU_ZERO(&fewer);
  std::uint32_t num_taken = 0;
  for (int core = 0; core < CPU_SETSIZE && num_taken < num_cores; ++core) {
    if (!CPU_ISSET(core, &before_)) continue;
    CPU_SET(core, &fewer);
    ++num_taken;
  }
  check_internal(sched_setaffinity(0, sizeof fewer, &fewer) == 0, "sched_setaffinity failed");
}

CoreLimit::~CoreLimit() {
  (void)sched_setaffinity(0, sizeof before_, &before_);  // it was allowed before
}

}  // namespace penstock::tools::bench
