// What a loader holds, in bytes: known before it is made and before any thread starts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "streamer/core/sample_transform.h"
#include "streamer/pipeline/loader.h"
#include "streamer/shard/dataset.h"

namespace penstock {

struct LoaderMemory {
  std::uint64_t index_bytes = 0;
  /// Tables of the order and of a subset.
  std::uint64_t order_bytes = 0;
  /// An allowance for stacks, decoders' lasting tables, TBB and small allocations.
  std::uint64_t fixed_bytes = 0;
  std::uint64_t ring_bytes = 0;
  /// What the costliest sample of the split holds while it is in flight.
  std::uint64_t costliest_sample_bytes = 0;

  std::uint64_t least_bytes() const noexcept {
    return index_bytes + order_bytes + fixed_bytes + ring_bytes + costliest_sample_bytes;
  }
};

/// Cost  reads the split's index once
LoaderMemory loader_memory(const DatasetSplit& split, const LoaderConfig& config,
                           const SampleTransform& transform);

/// Bytes for samples in flight: LoaderConfig::work_bytes, or by its rule when that is 0.
///
/// Errors  OutOfMemory when the costliest sample does not fit into what `budget` has left
std::uint64_t work_bytes(const LoaderConfig& config, std::uint64_t costliest_sample_bytes,
                         const MemoryBudget& budget);

/// How long a run may be.
struct RunBounds {
  std::uint32_t max_samples = 1;
  std::size_t max_bytes = 0;
};

/// Cuts short enough that each reader finds a run to read while another of its own is augmented:
/// the batches in flight, one being lent out, and the arena hold two runs a reader. Never below one
/// sample, and never more than a quarter of the arena.
RunBounds run_bounds(const LoaderConfig& config, std::size_t arena_bytes) noexcept;

}  // namespace penstock
