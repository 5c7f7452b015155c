#include "streamer/pipeline/loader_memory.h"

#include <algorithm>

#include "streamer/core/error.h"
#include "streamer/pipeline/batch_ring.h"
#include "streamer/pipeline/loader_order.h"
#include "streamer/read/admission.h"
#include "streamer/read/work_arena.h"

namespace penstock {
namespace {

constexpr std::uint64_t kMinWorkBytes = 16u << 20;

}  // namespace

LoaderMemory loader_memory(const DatasetSplit& split, const LoaderConfig& config,
                           const SampleTransform& transform) {
  const std::uint64_t num_threads = std::uint64_t{config.num_readers} + config.num_augmenters;
  return {
      .index_bytes = split.index_bytes(),
      .order_bytes = loader_order_bytes(split, config),
      .fixed_bytes = (1u << 20) + num_threads * (256u << 10),
      .ring_bytes = BatchRing::price_bytes({.spec = config.batch, .num_slots = config.num_slots}),
      .costliest_sample_bytes = costliest_sample_bytes(split, config.batch, transform)};
}

std::uint64_t work_bytes(const LoaderConfig& config, std::uint64_t costliest_sample_bytes,
                         const MemoryBudget& budget) {
  const std::uint64_t left = budget.limit_bytes() - budget.used_bytes();
  const std::uint64_t wanted =
      config.work_bytes != 0
          ? config.work_bytes
          : std::min(std::max(4 * costliest_sample_bytes, kMinWorkBytes),
                     left / WorkArena::kAlignmentBytes * WorkArena::kAlignmentBytes);
  if (wanted >= costliest_sample_bytes) return wanted;
  const SizeTexts size = format_bytes_apart(costliest_sample_bytes, wanted);
  throw Error(ErrorCode::kOutOfMemory,
              "memory limit: samples in flight: expected at least " + size.needed +
                  " (the costliest sample of the split), found " + size.there + " left of " +
                  format_bytes(budget.limit_bytes()),
              "raise --memory, or lower the batch size");
}

RunBounds run_bounds(const LoaderConfig& config, std::size_t arena_bytes) noexcept {
  const std::uint64_t num_runs = 2 * std::uint64_t{config.num_readers};
  const std::uint64_t places = std::uint64_t{config.batch.batch} * (config.num_slots - 1);
  const std::uint64_t fair_share = std::max<std::uint64_t>(places / num_runs, 1);
  return {.max_samples = static_cast<std::uint32_t>(
              std::min<std::uint64_t>(config.max_run_samples, fair_share)),
          .max_bytes = arena_bytes / std::max<std::uint64_t>(num_runs, 4)};
}

}  // namespace penstock
