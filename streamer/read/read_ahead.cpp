#include "streamer/read/read_ahead.h"

#include <algorithm>
#include <tuple>

namespace penstock {
namespace {

std::uint64_t end_of(const ReadRange& range) noexcept {
  return range.offset_bytes + range.length_bytes;
}

}  // namespace

ReadRanges::ReadRanges(std::span<const SampleTask> tasks) noexcept {
  auto last = ranges_.begin();
  for (const SampleTask& task : tasks) {
    if (is_cached(task)) continue;
    *last++ = {task.shard, task.record.offset_bytes, task.record.length_bytes};
  }
  const auto num_read = static_cast<std::size_t>(last - ranges_.begin());
  std::sort(ranges_.begin(), last, [](const ReadRange& a, const ReadRange& b) {
    return std::tie(a.shard, a.offset_bytes) < std::tie(b.shard, b.offset_bytes);
  });
  std::size_t num_merged = 0;
  for (auto next = ranges_.begin(); next != last; ++next) {
    ReadRange* const before = num_merged == 0 ? nullptr : &ranges_[num_merged - 1];
    if (before != nullptr && before->shard == next->shard &&
        next->offset_bytes <= end_of(*before) + kMaxGapBytes) {
      before->length_bytes = std::max(end_of(*before), end_of(*next)) - before->offset_bytes;
    } else {
      ranges_[num_merged++] = *next;
    }
  }
  if (num_merged == 1 && num_read > 1) return;
  const auto is_short = [](const ReadRange& range) { return range.length_bytes < kMinRangeBytes; };
  const auto kept = std::remove_if(ranges_.begin(), ranges_.begin() + num_merged, is_short);
  num_ranges_ = static_cast<std::size_t>(kept - ranges_.begin());
}

void read_ahead(std::span<const SampleTask> tasks) noexcept {
  const ReadRanges ranges(tasks);
  for (const ReadRange& range : ranges.get()) {
    range.shard->will_read(range.offset_bytes, range.length_bytes);
  }
}

}  // namespace penstock
