// What the stages count about their own work: written by the threads that do it, read by whoever
// asks, at any time and without a lock. Figures of one moment are exact each for itself; two of
// them may be a step apart.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "streamer/read/queue_stats.h"

namespace penstock {

/// Nanoseconds of the steady clock.
inline std::int64_t steady_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// What separates counters of different threads: x86-64's and ARM's usual cache line.
inline constexpr std::size_t kCacheLineBytes = 64;

/// Adds up the time that one thread at a time spends inside Scopes, the one under way included.
class alignas(kCacheLineBytes) Stopwatch {
 public:
  class Scope {
   public:
    explicit Scope(Stopwatch& watch) noexcept : watch_(watch) { watch_.turn(-steady_ns(), true); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { watch_.turn(steady_ns(), false); }

   private:
    Stopwatch& watch_;
  };

  /// Time until `now_ns` of the steady clock.
  std::int64_t ns(std::int64_t now_ns) const noexcept {
    const std::int64_t state = state_.load(std::memory_order_relaxed);
    return (state & kIsRunning) != 0 ? (state & ~kIsRunning) + now_ns : state;
  }

 private:
  static constexpr std::int64_t kIsRunning = 1;

  void turn(std::int64_t by_ns, bool is_running) noexcept {
    const std::int64_t sum = (state_.load(std::memory_order_relaxed) & ~kIsRunning) + by_ns;
    state_.store((sum & ~kIsRunning) | (is_running ? kIsRunning : 0), std::memory_order_relaxed);
  }

  // Total time; while a scope is open less the time at which it was opened. Odd while one is open:
  // in one word, so that a reader never sees half a change. Costs the last bit of a nanosecond.
  std::atomic<std::int64_t> state_{0};
};

/// Adds up what any number of threads report.
class alignas(kCacheLineBytes) Tally {
 public:
  void add(std::int64_t count) noexcept { sum_.fetch_add(count, std::memory_order_relaxed); }
  std::int64_t sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> sum_{0};
};

/// Counts what goes into a queue and comes out, by any number of threads.
class alignas(kCacheLineBytes) QueueBytes {
 public:
  void enter(std::uint64_t bytes) noexcept {
    const std::uint64_t now = now_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::uint64_t most = most_.load(std::memory_order_relaxed);
    while (most < now && !most_.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
    }
  }
  void leave(std::uint64_t bytes) noexcept { now_.fetch_sub(bytes, std::memory_order_relaxed); }
  QueueStats stats() const noexcept {
    return {now_.load(std::memory_order_relaxed), most_.load(std::memory_order_relaxed)};
  }

 private:
  std::atomic<std::uint64_t> now_{0};
  std::atomic<std::uint64_t> most_{0};
};

}  // namespace penstock
