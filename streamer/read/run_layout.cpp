#include "streamer/read/run_layout.h"

#include <algorithm>

#include "streamer/read/work_arena.h"

namespace penstock {
namespace {

std::size_t encoded_bytes_in_block(const SampleTask& task) noexcept {
  const bool lies_in_cache = task.cached.use == CacheUse::kPixels || lies_encoded_in_cache(task);
  return lies_in_cache ? 0 : align_up(task.record.length_bytes);
}

}  // namespace

void RunLayout::add(const SampleTask& task) noexcept {
  encoded_bytes += encoded_bytes_in_block(task);
  scratch_bytes = std::max(scratch_bytes, align_up(task.plan.scratch_bytes));
  if (task.cached.use == CacheUse::kPixels) return;
  scratch_bytes = std::max(scratch_bytes, align_up(task.price.scratch_bytes));
  decoded_bytes = std::max(decoded_bytes, align_up(task.price.decoded_bytes));
}

RunLayout run_layout(std::span<const SampleTask> tasks) noexcept {
  RunLayout layout;
  for (const SampleTask& task : tasks) layout.add(task);
  return layout;
}

RunParts::RunParts(std::span<const SampleTask> tasks, std::span<std::byte> block) noexcept {
  const RunLayout layout = run_layout(tasks);
  encoded_ = block.first(layout.encoded_bytes);
  scratch_ = block.subspan(layout.encoded_bytes, layout.scratch_bytes);
  decoded_ = block.subspan(layout.encoded_bytes + layout.scratch_bytes, layout.decoded_bytes);
}

std::span<std::byte> RunParts::next_encoded(const SampleTask& task) noexcept {
  if (task.cached.use == CacheUse::kPixels) return {};
  if (lies_encoded_in_cache(task)) return task.cached.bytes.first(task.record.length_bytes);
  const auto stored = encoded_.first(task.record.length_bytes);
  encoded_ = encoded_.subspan(encoded_bytes_in_block(task));
  return stored;
}

}  // namespace penstock
