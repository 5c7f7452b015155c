// Fixed threads that read and decode admitted runs.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "streamer/read/sample_run.h"

namespace penstock {

/// Hands runs to reader threads and decoded runs to `on_decoded`.
///
/// Threads  push() from any thread; on_decoded and on_error are called from reader threads
/// Errors   what a thread throws, on_decoded included, is handed to on_error; that thread ends
/// Stop     the destructor stops within one slice of a decode, and joins
class ReaderPool {
 public:
  struct Callbacks {
    std::function<void(const SampleRun&)> on_decoded;
    std::function<void(std::exception_ptr)> on_error;
  };

  ReaderPool(std::uint32_t num_threads, const WorkArena& arena, Callbacks callbacks);
  ~ReaderPool();

  /// Queues a run, and asks the system to fetch its bytes when no reader is free for it. The queue needs no bound of its own: what is in it holds its memory already.
  void push(const SampleRun& run);

 private:
  // What a thread does; an exception from anywhere in it is handed to on_error.
  void work(const std::stop_token& stop) noexcept;
  // Whether a run pushed now finds all threads busy.
  bool must_queue();
  // Waits for a run; empty when there is none and a stop was requested.
  std::optional<SampleRun> take(const std::stop_token& stop);

  const WorkArena& arena_;
  const Callbacks callbacks_;
  std::mutex mutex_;
  std::condition_variable_any queued_;
  std::deque<SampleRun> queue_;        // guarded by mutex_
  std::size_t num_waiting_ = 0;        // threads without a run; guarded by mutex_
  std::vector<std::jthread> threads_;  // last: they use what stands above
};

}  // namespace penstock
