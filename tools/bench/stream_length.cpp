#include "tools/bench/stream_length.h"

#include <algorithm>

#include "tools/terminal.h"

namespace penstock::tools::bench {
namespace {

constexpr std::uint64_t kMaxSamples = 50'000;
constexpr std::uint64_t kMaxStoredBytes = 256u << 20;

// Several epochs of a small split: what is prefetched when the clock starts must not be the most of
// what is measured.
std::uint64_t default_samples(const StreamBounds& bounds) {
  constexpr std::uint64_t kMinRings = 16;
  const std::uint64_t mean_bytes = std::max<std::uint64_t>(
      bounds.stored_bytes / std::max<std::uint64_t>(bounds.num_samples, 1), 1);
  const std::uint64_t least = kMinRings * bounds.num_slots * bounds.batch;
  return std::min({std::max(bounds.num_samples, least), kMaxSamples, kMaxStoredBytes / mean_bytes});
}

void keep_to_an_epoch(StreamLength& length, const StreamBounds& bounds) {
  const std::uint64_t epoch_batches = bounds.num_samples / bounds.batch;
  length.num_warm_batches = std::min(length.num_warm_batches, epoch_batches / 4);
  const std::uint64_t beside = length.num_warm_batches + bounds.num_slots;
  length.num_batches =
      std::min(length.num_batches, epoch_batches > beside ? epoch_batches - beside : 1);
  if (beside + length.num_batches > epoch_batches) {
    length.notes.push_back("cold: an epoch of " +
                           format_counted(epoch_batches, "batch", "batches") +
                           " is shorter than what is prefetched: some reads are of pages that are "
                           "in memory again");
  }
}

}  // namespace

StreamLength stream_length(const StreamBounds& bounds) {
  const std::uint64_t samples =
      bounds.wanted_samples > 0 ? bounds.wanted_samples : default_samples(bounds);
  StreamLength length{.num_warm_batches = 2 * std::uint64_t{bounds.num_slots},
                      .num_batches = std::max<std::uint64_t>(samples / bounds.batch, 1)};
  if (bounds.is_cold) keep_to_an_epoch(length, bounds);
  const std::uint64_t measured = length.num_batches * bounds.batch;
  if (bounds.wanted_samples > 0 && measured != bounds.wanted_samples) {
    length.notes.push_back("--samples " + std::to_string(bounds.wanted_samples) + ": " +
                           std::to_string(measured) + " are measured: whole batches of " +
                           std::to_string(bounds.batch) +
                           (bounds.is_cold ? ", and cold ones within one epoch" : ""));
  }
  return length;
}

}  // namespace penstock::tools::bench
