#include "streamer/pipeline/loader_memory.h"

#include <algorithm>

#include "streamer/core/error.h"
#include "streamer/core/usable_cores.h"
#include "streamer/pipeline/batch_ring.h"
#include "streamer/pipeline/loader_depth.h"
#include "streamer/read/work_arena.h"

namespace penstock {
LoaderMemory loader_memory(const DatasetSplit& split, const LoaderConfig& config,
                           const SampleTransform& transform) {
  const LoaderConfig ruled = with_ruled_threads(config, num_usable_cores());
  const std::uint64_t num_threads = std::uint64_t{ruled.num_readers} + ruled.num_augmenters;
  return {
      .index_bytes = split.index_bytes(),
      .fixed_bytes = (1u << 20) + num_threads * (256u << 10),
      .ring_bytes = BatchRing::price_bytes({.spec = config.batch, .num_slots = config.num_slots}),
      .costs = sample_costs(split, config.batch, transform)};
}

std::uint64_t work_bytes(const LoaderConfig& config, const SampleCosts& costs,
                         const MemoryBudget& budget) {
  const std::uint64_t left = budget.limit_bytes() - budget.used_bytes();
  const std::uint64_t wanted =
      config.work_bytes != 0
          ? config.work_bytes
          : std::min(ruled_work_bytes(config, costs),
                     left / WorkArena::kAlignmentBytes * WorkArena::kAlignmentBytes);
  if (wanted >= costs.costliest_bytes) return wanted;
  const SizeTexts size = format_bytes_apart(costs.costliest_bytes, wanted);
  throw Error(ErrorCode::kOutOfMemory,
              "memory limit: samples in flight: expected at least " + size.needed +
                  " (the costliest sample of the split), found " + size.there + " left of " +
                  format_bytes(budget.limit_bytes()),
              "raise --memory, or lower the batch size");
}

}  // namespace penstock
