// What a loader holds, in bytes: known before it is made and before any thread starts.
#pragma once

#include <cstdint>

#include "streamer/core/sample_transform.h"
#include "streamer/pipeline/loader.h"
#include "streamer/read/admission.h"
#include "streamer/shard/dataset.h"

namespace penstock {

struct LoaderMemory {
  std::uint64_t index_bytes = 0;
  /// An allowance for stacks, decoders' lasting tables, TBB and small allocations.
  std::uint64_t fixed_bytes = 0;
  std::uint64_t ring_bytes = 0;
  /// What samples of the split hold while they are in flight.
  SampleCosts costs;

  std::uint64_t least_bytes() const noexcept {
    return index_bytes + fixed_bytes + ring_bytes + costs.costliest_bytes;
  }
};

/// Cost  reads the split's index once
LoaderMemory loader_memory(const DatasetSplit& split, const LoaderConfig& config,
                           const SampleTransform& transform);

/// Bytes for samples in flight: LoaderConfig::work_bytes, or by the rule of loader_depth.h, but no
/// more than `budget` has left, when that is 0.
///
/// Errors  OutOfMemory when the costliest sample does not fit into what `budget` has left
std::uint64_t work_bytes(const LoaderConfig& config, const SampleCosts& costs,
                         const MemoryBudget& budget);

}  // namespace penstock
