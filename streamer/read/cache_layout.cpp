#include "streamer/read/cache_layout.h"

#include <algorithm>

#include "streamer/core/host_memory.h"

namespace penstock {
namespace {

constexpr std::uint64_t whole_pages(std::uint64_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

CacheLayout layout_for(std::uint64_t max_entries, std::uint64_t entries_bytes) noexcept {
  CacheLayout layout{.max_entries = max_entries, .entries_bytes = whole_pages(entries_bytes)};
  layout.num_slots = max_entries / 3 * 4 + 4;  // at least one stays free, where a search ends
  layout.table_bytes = whole_pages(layout.num_slots * kCacheSlotBytes);
  return layout;
}

}  // namespace

CacheLayout cache_layout(const CacheDemand& demand, std::uint64_t bytes) noexcept {
  if (demand.num_entries == 0) return {};
  const CacheLayout all = layout_for(demand.num_entries, demand.bytes);
  if (all.total_bytes() <= bytes) return all;

  const std::uint64_t mean_bytes = std::max<std::uint64_t>(demand.bytes / demand.num_entries, 1);
  constexpr std::uint64_t kTableBytesPerMean = 2 * kCacheSlotBytes * 4 / 3 + 1;
  const std::uint64_t num_means = bytes / (mean_bytes + kTableBytesPerMean);
  CacheLayout layout = layout_for(std::min(2 * num_means, demand.num_entries), 0);
  if (layout.table_bytes >= bytes) return {};
  layout.entries_bytes = (bytes - layout.table_bytes) / kPageBytes * kPageBytes;
  return layout.entries_bytes == 0 || num_means == 0 ? CacheLayout{} : layout;
}

}  // namespace penstock
