#include "streamer/pipeline/loader_stats.h"

#include <algorithm>
#include <cmath>

#include "streamer/core/memory_budget.h"

namespace penstock {
namespace {

constexpr double kTolerableWaitShare = 0.03;
// A stage that others wait for fills the memory, so that admission waits too. Memory is what is short
// only where no stage is busy.
constexpr double kMemoryWaitShare = 0.5;
constexpr double kBusyShare = 0.75;

double share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return 0.0;
  return std::min(static_cast<double>(part) / static_cast<double>(whole), 1.0);
}

std::string percent(double share) {
  return std::to_string(std::lround(100 * share)) + " %";
}

// The figures as shares of the time that there was.
struct Shares {
  explicit Shares(const LoaderStats& stats)
      : consumer_wait(share(stats.source.consumer_wait_us - stats.first_batch_wait_us,
                            stats.elapsed_us - stats.first_batch_wait_us)),
        readers_busy(share(stats.read_busy_us + stats.checksum_busy_us,
                           stats.elapsed_us * stats.depth.num_readers)),
        reading(share(stats.read_busy_us, stats.read_busy_us + stats.checksum_busy_us)),
        workers_busy(share(stats.decode_busy_us + stats.augment_busy_us,
                           stats.elapsed_us * stats.depth.num_workers)),
        decoding(share(stats.decode_busy_us, stats.decode_busy_us + stats.augment_busy_us)),
        memory_wait(share(stats.admission_memory_wait_us, stats.elapsed_us)) {}

  double consumer_wait;
  double readers_busy;
  double reading;  // of the readers' busy time
  double workers_busy;
  double decoding;  // of the workers' busy time
  double memory_wait;
};

// Ends the evidence of a loader that is behind.
std::string behind_text(const Shares& shares) {
  std::string text = "; the consumer waited " + percent(shares.consumer_wait) + " of its time";
  const double busiest = std::max(shares.readers_busy, shares.workers_busy);
  if (shares.memory_wait > kMemoryWaitShare && busiest < kBusyShare) {
    text += "; samples waited " + percent(shares.memory_wait) +
            " of the time for memory, so more of it would help";
  }
  return text;
}

std::string readers_text(const Shares& shares, double part, const char* doing) {
  return "readers were busy " + percent(shares.readers_busy) + " of the time, " + percent(part) +
         " of it " + doing + ", workers " + percent(shares.workers_busy) + behind_text(shares);
}

std::string workers_text(const Shares& shares, double part, const char* doing) {
  return "workers were busy " + percent(shares.workers_busy) + " of the time, " + percent(part) +
         " of it " + doing + ", readers " + percent(shares.readers_busy) + behind_text(shares);
}

}  // namespace

std::string cache_text(const CacheStats& cache) {
  if (cache.limit_bytes == 0) return {};
  return "cache: " + std::to_string(cache.num_kept) +
         (cache.num_kept == 1 ? " picture in " : " pictures in ") + format_bytes(cache.kept_bytes) +
         " of " + format_bytes(cache.limit_bytes) + ", " +
         percent(share(cache.num_hits, cache.num_places)) + " of " +
         std::to_string(cache.num_places) + " places served from it";
}

Verdict verdict(const LoaderStats& stats) {
  const std::uint64_t num_batches = stats.source.num_batches;
  if (num_batches <= stats.depth.num_slots) {
    return {Bottleneck::kNothingYet, "nothing to say yet: " + std::to_string(num_batches) +
                                         (num_batches == 1 ? " batch was" : " batches were") +
                                         " handed out, one round of the ring is " +
                                         std::to_string(stats.depth.num_slots)};
  }
  const Shares shares(stats);
  if (shares.consumer_wait <= kTolerableWaitShare) {
    return {Bottleneck::kConsumer,
            "the consumer is the bottleneck: it waited " + percent(shares.consumer_wait) +
                " of its time; readers were busy " + percent(shares.readers_busy) +
                " of the time, workers " + percent(shares.workers_busy)};
  }
  if (shares.readers_busy > shares.workers_busy) {
    if (shares.reading > 0.5) {
      return {Bottleneck::kDisk,
              "disk is the bottleneck: " + readers_text(shares, shares.reading, "reading")};
    }
    return {Bottleneck::kChecksum,
            "checksum is the bottleneck: " +
                readers_text(shares, 1 - shares.reading, "checking stored bytes")};
  }
  if (shares.decoding > 0.5) {
    return {Bottleneck::kDecode,
            "decode is the bottleneck: " + workers_text(shares, shares.decoding, "decoding")};
  }
  return {Bottleneck::kAugment,
          "augment is the bottleneck: " + workers_text(shares, 1 - shares.decoding, "augmenting")};
}

}  // namespace penstock
