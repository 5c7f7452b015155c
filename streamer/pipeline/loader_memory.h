// The memory plan of a loader: what it holds, line by line and in bytes, before it is made and
// before any thread starts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "streamer/core/memory_budget.h"
#include "streamer/core/sample_transform.h"
#include "streamer/pipeline/loader.h"
#include "streamer/read/cache_layout.h"
#include "streamer/read/sample_costs.h"
#include "streamer/shard/dataset.h"
#include "streamer/shard/index_form.h"

namespace penstock {

/// One line of the plan as a table.
struct MemoryLine {
  std::string what;
  std::uint64_t bytes = 0;
  std::string detail;
};

/// What a loader holds within `room`; all of it is drawn when the loader is made. Others may draw the
/// cache's part later.
struct LoaderMemory {
  MemoryRoom room;
  std::uint64_t num_samples = 0;
  /// Samples that the index speaks of: those of the whole split, also for a subset.
  std::uint64_t num_indexed = 0;
  IndexForm index;
  /// DatasetSplit::shards_bytes(): drawn by each loader, though those of one split share them.
  std::uint64_t num_shards = 0;
  std::uint64_t num_classes = 0;
  std::uint64_t shards_bytes = 0;
  /// Tables of the order and of a subset.
  std::uint64_t order_bytes = 0;
  /// An allowance: see fixed_bytes().
  std::uint64_t fixed_bytes = 0;
  std::uint64_t ring_bytes = 0;
  /// Samples in flight: encoded, scratch and decoded. LoaderConfig::work_bytes, or by its rule.
  std::uint64_t work_bytes = 0;
  CostliestSample costliest;
  /// Of what is left, as much as LoaderConfig::cache has a use for.
  CacheLayout cache;
  CacheDemand cache_demand;

  std::uint64_t total_bytes() const noexcept {
    return index.bytes + shards_bytes + order_bytes + fixed_bytes + ring_bytes + work_bytes +
           cache.total_bytes();
  }
  /// Bytes below which a loader is refused: the smallest index, room for the costliest sample.
  std::uint64_t least_bytes(const LoaderConfig& config) const noexcept;
  bool fits(const LoaderConfig& config) const noexcept;
};

/// Computes the plan. Refuses nothing: see check_memory().
///
/// Cost    reads the split's index once, in constant memory
/// Errors  those of DatasetSplit::scan_index
LoaderMemory plan_loader_memory(const DatasetSplit& split, const LoaderConfig& config,
                                const SampleTransform& transform, const MemoryRoom& room);

/// An upper bound of what a loader holds beside its large buffers: the touched part of its threads'
/// stacks, malloc's arenas of these threads, oneTBB, decoder tables, the code that all this brings
/// into memory, and small allocations, which grow with the places of the ring.
///
/// Source  measured: README.md of this folder
std::uint64_t fixed_bytes(const LoaderConfig& config) noexcept;

/// The settings nearest to a plan that fit, each with the others as they are.
struct NearestFit {
  std::optional<std::uint32_t> batch;      // the largest batch; empty: none fits
  std::optional<std::uint32_t> num_slots;  // the most slots; empty: none fits
  std::uint64_t limit_bytes = 0;           // the least limit, in whole MiB
};
NearestFit nearest_fit(const LoaderMemory& memory, const LoaderConfig& config);

/// Refuses a plan that does not fit.
///
/// Errors  OutOfMemory: the sum and its parts, and in the hint the nearest settings that fit, or
///         what makes the pictures of several scans cost less when it is they who do not
void check_memory(const LoaderMemory& memory, const LoaderConfig& config);

/// The plan as a table: what is held, then what is left or missing, then the limit.
std::vector<MemoryLine> memory_lines(const LoaderMemory& memory, const LoaderConfig& config);

}  // namespace penstock
