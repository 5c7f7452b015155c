#include "tools/bench/loader_run.h"

#include <chrono>
#include <thread>
#include <utility>

#include "tools/bench/bench_threads.h"

namespace penstock::tools::bench {
namespace {

using Clock = std::chrono::steady_clock;

LoaderConfig loader_config(const Stream& stream, const LoaderThreads& threads) {
  return {.batch = stream.spec,
          .order = SampleOrder::kShuffle,
          .seed = stream.seed,
          .num_epochs = std::nullopt,
          .drop_remainder = true,
          .num_readers = threads.num_readers,
          .num_workers = threads.num_workers,
          .num_slots = threads.num_slots,
          .cache = stream.cache,
          .max_bad_fraction = 1};
}

// The figures of the time between two moments, of which `before` is the first.
LoaderStats since(const LoaderStats& before, LoaderStats stats) {
  for (const auto field :
       {&LoaderStats::elapsed_us, &LoaderStats::admission_busy_us, &LoaderStats::read_busy_us,
        &LoaderStats::checksum_busy_us, &LoaderStats::decode_busy_us, &LoaderStats::augment_busy_us,
        &LoaderStats::deliver_busy_us, &LoaderStats::consumer_busy_us,
        &LoaderStats::first_batch_wait_us, &LoaderStats::admission_slot_wait_us,
        &LoaderStats::admission_memory_wait_us, &LoaderStats::reader_wait_us,
        &LoaderStats::worker_wait_us}) {
    stats.*field -= before.*field;
  }
  for (const auto field : {&SourceStats::num_batches, &SourceStats::num_samples,
                           &SourceStats::num_skipped, &SourceStats::consumer_wait_us}) {
    stats.source.*field -= before.source.*field;
  }
  stats.cache.num_places -= before.cache.num_places;
  stats.cache.num_hits -= before.cache.num_hits;
  return stats;
}

/// Calls `consume` with every batch on the clock, after those before it.
template <class Start, class Consume>
LoaderStats stream_batches(const Stream& stream, const LoaderThreads& threads, const Start& start,
                           const Consume& consume) {
  MemoryBudget budget(stream.memory_bytes);
  Loader loader(stream.split, loader_config(stream, threads), stream.transform, budget);
  for (std::uint64_t i = 0; i < stream.num_warm_batches; ++i) loader.next().release();
  const LoaderStats before = loader.detailed_stats();
  start();
  for (std::uint64_t i = 0; i < stream.num_batches; ++i) consume(loader.next());
  return since(before, loader.detailed_stats());
}

}  // namespace

LoaderTimes run_loader(const Stream& stream, const LoaderThreads& threads, std::uint64_t hold_us) {
  LoaderTimes times;
  Clock::time_point begin;
  Clock::time_point end;
  double cpu_begin = 0;
  double cpu_end = 0;
  std::uint64_t num_consumed = 0;
  times.stats = stream_batches(
      stream, threads,
      [&] {
        cpu_begin = process_cpu_seconds();
        begin = Clock::now();
      },
      [&](BatchLease lease) {
        times.num_samples += lease->num_valid;
        times.time.num_failed += lease->events.size();
        if (hold_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(hold_us));
        lease.release();
        if (++num_consumed < stream.num_batches) return;
        end = Clock::now();
        cpu_end = process_cpu_seconds();
      });
  times.time.seconds = std::chrono::duration<double>(end - begin).count();
  times.time.cpu_seconds = cpu_end - cpu_begin;
  return times;
}

CacheFill fill_cache(const Stream& stream, const LoaderThreads& threads) {
  constexpr std::uint32_t kMaxEpochs = 8;
  MemoryBudget budget(stream.memory_bytes);
  Loader loader(stream.split, loader_config(stream, threads), stream.transform, budget);
  const std::uint64_t epoch_batches = loader.num_batches_per_epoch();
  CacheFill fill{.has_room = loader.detailed_stats().cache.limit_bytes > 0};
  std::uint64_t num_kept = 0;
  while (fill.has_room && fill.num_epochs < kMaxEpochs) {
    for (std::uint64_t i = 0; i < epoch_batches; ++i) loader.next().release();
    const std::uint64_t num_before =
        std::exchange(num_kept, loader.detailed_stats().cache.num_kept);
    fill.is_full = (num_kept - num_before) * 100 <= num_kept;
    if (fill.is_full) break;
    ++fill.num_epochs;
  }
  fill.num_batches = fill.num_epochs * epoch_batches;
  return fill;
}

std::vector<StreamPlace> record_places(const Stream& stream, const LoaderThreads& threads) {
  std::vector<StreamPlace> places;
  stream_batches(
      stream, threads, [] {},
      [&](const BatchLease& lease) {
        for (std::uint32_t i = 0; i < lease->num_valid; ++i) {
          places.push_back({.sample_id = lease->sample_ids[i],
                            .position = lease->positions[i],
                            .epoch = lease->epoch});
        }
      });
  return places;
}

}  // namespace penstock::tools::bench
