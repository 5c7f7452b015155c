// What samples hold: the figures that a memory plan is made from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "streamer/core/stored_info.h"
#include "streamer/read/cache_layout.h"

namespace penstock {

/// The sample of a split that holds the most while it is in flight, whatever the draws.
struct CostliestSample {
  std::size_t bytes = 0;  // what the arena must hold at least
  std::uint64_t sample_id = 0;
  StoredInfo stored = {};
  /// What the costliest sample would hold if those of several scans were baseline.
  std::size_t bytes_if_baseline = 0;
};

/// What the samples of a split hold, each alone and whatever the draws: while they are in flight, and
/// in a cache.
struct SampleCosts {
  CostliestSample costliest;
  std::size_t mean_bytes = 0;
  /// Of these, the stored bytes: what one sample more adds to a run.
  std::size_t mean_encoded_bytes = 0;
  /// What a cache would keep if it could keep all: a decoded picture at every scale that a draw may
  /// ask for.
  CacheDemand cache_demand = {};
};

}  // namespace penstock
