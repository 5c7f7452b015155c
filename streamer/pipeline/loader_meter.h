// The counters that belong to the loader as a whole, beside those of its stages.
#pragma once

#include <atomic>
#include <cstdint>

#include "streamer/pipeline/batch_ring.h"
#include "streamer/pipeline/loader_stats.h"
#include "streamer/read/reader_pool.h"
#include "streamer/read/run_timer.h"
#include "streamer/read/stage_counters.h"
#include "streamer/read/work_arena.h"

namespace penstock {

/// Threads  written by the threads that are named; stats() from any
struct LoaderMeter {
  Stopwatch admission;      // the admission thread, waiting or not
  Stopwatch consumer_wait;  // the consumer, inside next()
  std::atomic<std::int64_t> first_batch_wait_ns{0};
  RunTallies fill_busy_ns;
  Tally deliver_busy_ns;
  QueueBytes to_fill;
  std::int64_t start_ns = 0;
  std::atomic<std::int64_t> end_ns{0};  // 0 while the stream goes on

  /// The threads are about to start. Once, before any of them.
  void begin() noexcept { start_ns = steady_ns(); }
  /// The stream has handed out its last batch, or was stopped: time stands still. Once.
  void end() noexcept;
  /// Counts work on a whole batch as augmenting.
  void add_augment_ns(std::int64_t ns) noexcept {
    fill_busy_ns[static_cast<std::size_t>(RunPart::kAugment)].add(ns);
  }
  /// Until when the figures count.
  std::int64_t now_ns() const noexcept;

  struct Stages {
    const BatchRing& ring;
    const WorkArena& arena;
    const ReaderPool& readers;
  };

  /// Puts the figures together; `depth` and `source` are taken as they are, the cache's are left out.
  LoaderStats stats(const SourceStats& source, const LoaderDepth& depth,
                    const Stages& stages) const;
};

}  // namespace penstock
