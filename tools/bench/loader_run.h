// The engine as a whole: a stream of batches, timed over some of them in mid-stream.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "streamer/core/sample_transform.h"
#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/loader_stats.h"
#include "streamer/shard/dataset.h"
#include "tools/bench/bench_threads.h"

namespace penstock::tools::bench {

/// Threads and depth: what the recommendation is about. No bytes depend on it.
struct LoaderThreads {
  std::uint32_t num_readers = 1;
  std::uint32_t num_workers = 1;
  std::uint32_t num_slots = 4;

  friend bool operator==(const LoaderThreads&, const LoaderThreads&) = default;
};

/// What is streamed, whoever does it.
struct Stream {
  DatasetSplit split;
  BatchSpec spec;
  std::shared_ptr<const SampleTransform> transform;  // shared with the loaders
  std::uint64_t seed = 0;
  std::uint64_t memory_bytes = 0;  // the limit of each loader
  CacheForm cache = CacheForm::kNone;
  /// Batches that fill the pipeline before the clock starts, and batches on the clock. The stream
  /// goes on after them, so both ends of the measurement find the same number prefetched.
  std::uint64_t num_warm_batches = 8;
  std::uint64_t num_batches = 1;
};

struct LoaderTimes {
  RunTime time;
  std::uint64_t num_samples = 0;
  LoaderStats stats;  // of the time on the clock; queues from the loader's making on
};

/// Streams and lets every batch go at once, or after `hold_us` for a slow consumer.
LoaderTimes run_loader(const Stream& stream, const LoaderThreads& threads,
                       std::uint64_t hold_us = 0);

/// What a stream's cache needs until it holds what it will hold.
struct CacheFill {
  bool has_room = false;  // within the loader's limit; if not, the rest says nothing
  bool is_full = false;   // an epoch more would add less than 1 % of what it keeps
  std::uint32_t num_epochs = 0;
  std::uint64_t num_batches = 0;  // of these epochs
};

/// Streams whole epochs until the cache grows no more, at most 8: a decoded picture is kept once for
/// each scale that is drawn, and the later epochs draw the rarer ones.
CacheFill fill_cache(const Stream& stream, const LoaderThreads& threads);

/// Where a sample stood in the stream.
struct StreamPlace {
  std::uint64_t sample_id = 0;
  std::uint64_t position = 0;
  std::uint32_t epoch = 0;
};

/// Returns what run_loader() has on its clock, in order.
std::vector<StreamPlace> record_places(const Stream& stream, const LoaderThreads& threads);

}  // namespace penstock::tools::bench
