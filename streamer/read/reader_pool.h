// Fixed threads that read and verify admitted runs.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "streamer/core/ring_queue.h"
#include "streamer/read/run_timer.h"
#include "streamer/read/sample_run.h"

namespace penstock {

/// What the readers did since they were made, summed over them.
struct ReaderStats {
  std::uint32_t num_threads = 0;
  RunTimes busy_ns{};        // of the runs that are done
  std::int64_t wait_ns = 0;  // without a run to read
  QueueStats queued;         // runs that wait for a reader, in bytes that they hold
};

/// Hands runs to reader threads, and those whose bytes are there to `on_read`.
///
/// Threads  push() from any thread; on_read and on_error are called from reader threads
/// Errors   what a thread throws, on_read included, is handed to on_error; that thread ends
/// Stop     request_stop() and the destructor stop within one slice of a read; the destructor
///          joins
class ReaderPool {
 public:
  struct Callbacks {
    std::function<void(const SampleRun&)> on_read;
    std::function<void(std::exception_ptr)> on_error;
  };

  ReaderPool(std::uint32_t num_threads, const WorkArena& arena, Callbacks callbacks);
  ~ReaderPool();

  /// Queues a run, and asks the system to fetch its bytes when no reader is free for it. The queue
  /// needs no bound of its own: what is in it holds its memory already.
  void push(const SampleRun& run);

  /// Asks all threads to stop, without waiting for them. From any thread.
  void request_stop() noexcept;

  /// `now_ns` of the steady clock: what they wait for now counts up to then. From any thread.
  ReaderStats stats(std::int64_t now_ns) const;

 private:
  // One thread's own counters.
  struct Counters {
    Stopwatch waiting;
    RunTallies busy_ns;
  };

  // What a thread does; an exception from anywhere in it is handed to on_error.
  void work(Counters& counters, const std::stop_token& stop) noexcept;
  // Whether a run pushed now finds all threads busy.
  bool must_queue();
  // Waits for a run; empty when there is none and a stop was requested.
  std::optional<SampleRun> take(Counters& counters, const std::stop_token& stop);

  const WorkArena& arena_;
  const Callbacks callbacks_;
  std::mutex mutex_;
  std::condition_variable_any queued_;
  RingQueue<SampleRun> queue_{256};  // guarded by mutex_; 256: rarely are as many in flight
  std::size_t num_waiting_ = 0;      // threads without a run; guarded by mutex_
  QueueBytes queued_bytes_;
  const std::unique_ptr<Counters[]> counters_;  // [threads_.size()]
  std::vector<std::jthread> threads_;           // last: they use what stands above
};

}  // namespace penstock
