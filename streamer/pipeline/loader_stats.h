// What a loader did and where its time went: plain figures, and the verdict that follows from them.
#pragma once

#include <cstdint>
#include <string>

#include "streamer/core/batch.h"
#include "streamer/read/cache_stats.h"
#include "streamer/read/queue_stats.h"

namespace penstock {

/// Threads and memory of a loader, each as set or by the rules that LoaderConfig states.
struct LoaderDepth {
  std::uint32_t num_readers = 0;
  std::uint32_t num_workers = 0;
  std::uint32_t num_slots = 0;
  std::uint32_t max_run_samples = 0;
  std::uint64_t max_run_bytes = 0;  // a run above it holds a single sample
  std::uint64_t work_bytes = 0;

  friend bool operator==(const LoaderDepth&, const LoaderDepth&) = default;
};

/// Figures since the loader was made, until now or until the last batch of the stream was handed
/// out. Times are wall times: a thread that waits for a core counts as busy.
struct LoaderStats {
  SourceStats source;
  LoaderDepth depth;
  CacheStats cache;  // zeros without one
  std::uint64_t elapsed_us = 0;

  // Busy time of the stages, summed over their threads; the readers' and the workers' by the run,
  // when it is done.
  std::uint64_t admission_busy_us = 0;  // order, plans, prices: one thread
  std::uint64_t read_busy_us = 0;       // in pread
  std::uint64_t checksum_busy_us = 0;
  std::uint64_t decode_busy_us = 0;
  std::uint64_t augment_busy_us = 0;   // of samples, and of whole batches
  std::uint64_t deliver_busy_us = 0;   // hand-over: one thread at a time
  std::uint64_t consumer_busy_us = 0;  // outside next()

  // Waits, those of several threads summed. The consumer's is source.consumer_wait_us.
  std::uint64_t first_batch_wait_us = 0;       // of these, for the first batch: nothing hides it
  std::uint64_t admission_slot_wait_us = 0;    // all slots are being filled, ready or lent
  std::uint64_t admission_memory_wait_us = 0;  // samples in flight hold all of work_bytes
  std::uint64_t reader_wait_us = 0;            // without a run to read
  std::uint64_t worker_wait_us = 0;            // without a run to decode and augment

  // Bytes that wait: of runs, all that they hold of work_bytes; of batches, their pixels.
  QueueStats in_flight;  // runs, from admission until they are augmented
  QueueStats to_read;    // of these, waiting for a reader
  QueueStats to_fill;    // of these, read and waiting for a worker
  QueueStats ready;      // batches waiting for the consumer
  QueueStats lent;       // batches with the consumer
};

enum class Bottleneck : std::uint8_t {
  kNothingYet,
  kDisk,
  kChecksum,
  kDecode,
  kAugment,
  kConsumer
};

/// The stage that all others wait for, and one line of evidence in words.
struct Verdict {
  Bottleneck bottleneck = Bottleneck::kNothingYet;
  std::string text;
};

/// What the cache holds and has served, in one line: `cache: 120 pictures in 3.4 MiB of 4.0 MiB, 80 %
/// of 600 places served from it`; empty without a cache.
std::string cache_text(const CacheStats& cache);

/// Judges figures.
///
/// Rule  Nothing is said before the consumer has had one round of the ring. A consumer that waited
///       at most 3 % of its time is the bottleneck itself; the wait for the first batch is left
///       out, which nothing can hide. Else it is what the busier of readers and workers spent more
///       time on: reading or checksums, decoding or augmenting.
Verdict verdict(const LoaderStats& stats);

}  // namespace penstock
