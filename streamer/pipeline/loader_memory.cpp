#include "streamer/pipeline/loader_memory.h"

#include <algorithm>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/usable_cores.h"
#include "streamer/pipeline/batch_ring.h"
#include "streamer/pipeline/loader_depth.h"
#include "streamer/pipeline/loader_order.h"
#include "streamer/read/admission.h"
#include "streamer/read/work_arena.h"
#include "streamer/shard/sample_index.h"

namespace penstock {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;

// Measured, README.md: 3 MiB of code and tables, and 64 KiB a thread with a decoder; with a margin.
constexpr std::uint64_t kProcessBytes = 4 * kMiB;
constexpr std::uint64_t kThreadBytes = 192u << 10;
// Runs in queues and graph messages, of one sample each at worst, and the arena's free list.
constexpr std::uint64_t kPlaceBytes = 512;

// Beside readers and workers, one thread admits.
std::uint64_t num_threads(const LoaderConfig& config) noexcept {
  const LoaderConfig ruled = with_ruled_threads(config, num_usable_cores());
  return std::uint64_t{ruled.num_readers} + ruled.num_workers + 1;
}

std::uint64_t ring_bytes(const LoaderConfig& config) noexcept {
  return BatchRing::price_bytes({.spec = config.batch, .num_slots = config.num_slots});
}

std::uint64_t least_work_bytes(const LoaderConfig& config, const CostliestSample& costliest) {
  return std::max<std::uint64_t>(config.work_bytes, costliest.bytes);
}

// A plan's least bytes with other settings.
std::uint64_t least_bytes_with(const LoaderMemory& memory, const LoaderConfig& config) noexcept {
  return least_index_bytes(memory.num_indexed) + memory.shards_bytes + memory.order_bytes +
         fixed_bytes(config) + ring_bytes(config) + least_work_bytes(config, memory.costliest);
}

// Whether it would fit with the pictures of several scans stored as baseline ones.
bool fits_if_baseline(const LoaderMemory& memory, const LoaderConfig& config) noexcept {
  LoaderMemory baseline = memory;
  baseline.costliest.bytes = memory.costliest.bytes_if_baseline;
  return least_bytes_with(baseline, config) <= memory.room.left_bytes;
}

// What a cache may take beside all that stands in the plan yet. It takes nothing from other caches.
std::uint64_t cache_room_bytes(const LoaderMemory& memory, const LoaderConfig& config) noexcept {
  const std::uint64_t free_bytes = memory.room.left_bytes - memory.room.reclaimable_bytes;
  const std::uint64_t unused = free_bytes - std::min(free_bytes, memory.total_bytes());
  return config.cache_bytes == 0 ? unused : std::min(unused, config.cache_bytes);
}

// The largest value of [low, high] for which `fits`, which holds for all below one it holds for.
template <class Fits>
std::optional<std::uint32_t> largest_that(std::uint32_t low, std::uint32_t high, const Fits& fits) {
  if (low > high || !fits(low)) return std::nullopt;
  while (low < high) {
    const std::uint32_t middle = high - (high - low) / 2;
    if (fits(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

std::string sample_text(const CostliestSample& costliest) {
  const StoredInfo& stored = costliest.stored;
  return "sample " + std::to_string(costliest.sample_id) + ", " + std::to_string(stored.width_px) +
         " x " + std::to_string(stored.height_px) + " px" +
         (!stored.is_progressive        ? ""
          : stored.codec == Codec::kPng ? " interlaced"
                                        : " in several scans");
}

std::string index_text(const LoaderMemory& memory) {
  const std::string all = std::to_string(memory.num_indexed) + " samples";
  if (memory.index.is_resident()) return all + ", resident";
  return all + ", " + std::to_string(memory.index.num_cached_pages) +
         " pages at a time: whole it would take " +
         format_bytes(memory.num_indexed * sizeof(IndexRecord));
}

std::string shards_text(const LoaderMemory& memory) {
  return std::to_string(memory.num_shards) + (memory.num_shards == 1 ? " file" : " files") +
         " open, and what the manifest says of each and of " + std::to_string(memory.num_classes) +
         (memory.num_classes == 1 ? " class" : " classes");
}

std::string order_text(const LoaderMemory& memory, const LoaderConfig& config) {
  std::string text(sample_order_name(config.order));
  if (memory.num_samples != memory.num_indexed) {
    text += ", a subset of " + std::to_string(memory.num_samples) + " samples";
  }
  return text;
}

std::string ring_text(const LoaderConfig& config) {
  const BatchSpec& spec = config.batch;
  return std::to_string(config.num_slots) + " batches of " + std::to_string(spec.batch) + " x " +
         std::to_string(spec.height_px) + " x " + std::to_string(spec.width_px) + " x " +
         std::to_string(spec.channels) +
         (spec.label_form == LabelForm::kTargets
              ? ", and " + std::to_string(spec.num_targets) + " targets a sample"
              : "");
}

std::string cache_text(const LoaderMemory& memory, const LoaderConfig& config) {
  const std::uint64_t all = cache_layout(memory.cache_demand, UINT64_MAX).total_bytes();
  return std::string(cache_form_name(config.cache)) +
         (memory.cache.total_bytes() == all ? ", all samples"
                                            : ", all samples would take " + format_bytes(all)) +
         "; given back when others draw it";
}

std::string arithmetic(const LoaderMemory& memory, const LoaderConfig& config) {
  return "index " + format_bytes(least_index_bytes(memory.num_indexed)) + " + shards and classes " +
         format_bytes(memory.shards_bytes) +
         (memory.order_bytes == 0 ? "" : " + order " + format_bytes(memory.order_bytes)) +
         " + fixed " + format_bytes(memory.fixed_bytes) + " + batch ring " +
         format_bytes(memory.ring_bytes) + " (" + ring_text(config) + ") + samples in flight " +
         format_bytes(least_work_bytes(config, memory.costliest)) +
         " (the costliest: " + sample_text(memory.costliest) + ")";
}

std::string nearest_text(const NearestFit& nearest) {
  std::string text =
      "raise the memory limit (--memory) to " + std::to_string(nearest.limit_bytes / kMiB) + "M";
  if (nearest.batch) text += ", or lower the batch size to " + std::to_string(*nearest.batch);
  if (nearest.num_slots) text += ", or num_slots to " + std::to_string(*nearest.num_slots);
  return text;
}

}  // namespace

std::uint64_t fixed_bytes(const LoaderConfig& config) noexcept {
  const std::uint64_t num_places = std::uint64_t{config.batch.batch} * config.num_slots;
  return kProcessBytes + num_threads(config) * kThreadBytes + num_places * kPlaceBytes;
}

std::uint64_t LoaderMemory::least_bytes(const LoaderConfig& config) const noexcept {
  return least_bytes_with(*this, config);
}

bool LoaderMemory::fits(const LoaderConfig& config) const noexcept {
  return least_bytes(config) <= room.left_bytes &&
         (config.work_bytes == 0 || config.work_bytes >= costliest.bytes);
}

LoaderMemory plan_loader_memory(const DatasetSplit& split, const LoaderConfig& config,
                                const SampleTransform& transform, const MemoryRoom& room) {
  const SampleCosts costs = sample_costs(split, config.batch, transform, config.cache);
  LoaderMemory memory{.room = room,
                      .num_samples = split.num_samples(),
                      .num_indexed = split.num_indexed(),
                      .index = {},
                      .num_shards = split.num_shards(),
                      .num_classes = split.class_names().size(),
                      .shards_bytes = split.shards_bytes(),
                      .order_bytes = loader_order_bytes(split, config),
                      .fixed_bytes = fixed_bytes(config),
                      .ring_bytes = ring_bytes(config),
                      .work_bytes = 0,
                      .costliest = costs.costliest,
                      .cache = {},
                      .cache_demand = costs.cache_demand};
  const std::uint64_t least_work = least_work_bytes(config, memory.costliest);
  const std::uint64_t wanted =
      config.work_bytes != 0
          ? least_work
          : ruled_work_bytes(with_ruled_threads(config, num_usable_cores()), costs);
  const auto left_after = [&](std::uint64_t taken_bytes) {
    return room.left_bytes - std::min(room.left_bytes, taken_bytes);
  };
  const std::uint64_t others =
      memory.shards_bytes + memory.order_bytes + memory.fixed_bytes + memory.ring_bytes;
  memory.index = choose_index_form(
      memory.num_indexed,
      {.limit_bytes = room.limit_bytes, .left_bytes = left_after(others + least_work)});
  const std::uint64_t left = left_after(others + memory.index.bytes);
  memory.work_bytes = std::max(
      std::min(align_up(wanted), left / WorkArena::kAlignmentBytes * WorkArena::kAlignmentBytes),
      align_up(least_work));
  memory.cache = cache_layout(memory.cache_demand, cache_room_bytes(memory, config));
  return memory;
}

NearestFit nearest_fit(const LoaderMemory& memory, const LoaderConfig& config) {
  const auto fits = [&](const LoaderConfig& other) {
    return least_bytes_with(memory, other) <= memory.room.left_bytes;
  };
  NearestFit nearest;
  nearest.batch = largest_that(1, config.batch.batch - 1, [&](std::uint32_t batch) {
    LoaderConfig other = config;
    other.batch.batch = batch;
    return fits(other);
  });
  nearest.num_slots = largest_that(2, config.num_slots - 1, [&](std::uint32_t num_slots) {
    LoaderConfig other = config;
    other.num_slots = num_slots;
    return fits(other);
  });
  const std::uint64_t taken = memory.room.limit_bytes - memory.room.left_bytes;
  nearest.limit_bytes = (taken + memory.least_bytes(config) + kMiB - 1) / kMiB * kMiB;
  return nearest;
}

void check_memory(const LoaderMemory& memory, const LoaderConfig& config) {
  const CostliestSample& costliest = memory.costliest;
  if (config.work_bytes != 0 && config.work_bytes < costliest.bytes) {
    const SizeTexts size = format_bytes_apart(costliest.bytes, config.work_bytes);
    throw Error(
        ErrorCode::kOutOfMemory,
        "memory limit: samples in flight: expected at least " + size.needed +
            " (the costliest: " + sample_text(costliest) + "), found work_bytes of " + size.there,
        "set LoaderConfig::work_bytes to 0 for the rule, or to " + std::to_string(costliest.bytes));
  }
  const std::uint64_t least = memory.least_bytes(config);
  const MemoryRoom& room = memory.room;
  if (least <= room.left_bytes) return;
  const SizeTexts size = format_bytes_apart(least, room.left_bytes);
  std::string hint = nearest_text(nearest_fit(memory, config));
  if (fits_if_baseline(memory, config)) {
    hint =
        "convert the source again with --optimize-crops, after which no sample takes more than "
        "about " +
        format_bytes(costliest.bytes_if_baseline) + "; or " + hint;
  }
  throw Error(ErrorCode::kOutOfMemory,
              "memory limit: loader: expected at most " + size.there +
                  (room.left_bytes == room.limit_bytes
                       ? ""
                       : " (what is left of " + format_bytes(room.limit_bytes) + ")") +
                  ", found " + size.needed + ": " + arithmetic(memory, config),
              hint);
}

std::vector<MemoryLine> memory_lines(const LoaderMemory& memory, const LoaderConfig& config) {
  const std::uint64_t total = memory.total_bytes();
  const std::uint64_t left = memory.room.left_bytes;
  std::vector<MemoryLine> lines = {{"index", memory.index.bytes, index_text(memory)},
                                   {"shards", memory.shards_bytes, shards_text(memory)},
                                   {"order", memory.order_bytes, order_text(memory, config)},
                                   {"fixed", memory.fixed_bytes,
                                    "stacks, oneTBB, tables, small allocations of " +
                                        std::to_string(num_threads(config)) + " threads"},
                                   {"batch ring", memory.ring_bytes, ring_text(config)},
                                   {"samples in flight", memory.work_bytes,
                                    "the costliest takes " + format_bytes(memory.costliest.bytes) +
                                        ": " + sample_text(memory.costliest)}};
  if (config.cache != CacheForm::kNone) {
    lines.push_back({"cache", memory.cache.total_bytes(), cache_text(memory, config)});
  }
  lines.push_back(total <= left ? MemoryLine{"left", left - total, ""}
                                : MemoryLine{"missing", total - left, ""});
  lines.push_back({"limit", memory.room.limit_bytes, ""});
  return lines;
}

}  // namespace penstock
