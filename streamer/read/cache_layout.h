// How a cache of samples divides its bytes: arithmetic only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace penstock {

/// What a cache would keep of a split if it could keep all.
struct CacheDemand {
  std::uint64_t num_entries = 0;
  std::uint64_t bytes = 0;

  void add(std::size_t entry_bytes) noexcept {
    if (entry_bytes > 0) ++num_entries;
    bytes += entry_bytes;
  }
};

/// A cache's own table costs so much for each entry that it has room for.
inline constexpr std::size_t kCacheSlotBytes = 32;

/// How a cache divides its memory: a hash table, then the entries one after another.
struct CacheLayout {
  std::uint64_t num_slots = 0;    // of the hash table
  std::uint64_t max_entries = 0;  // three quarters of them
  std::uint64_t table_bytes = 0;
  std::uint64_t entries_bytes = 0;  // 0: no cache

  std::uint64_t total_bytes() const noexcept { return table_bytes + entries_bytes; }
};

/// Divides at most `bytes`, and no more than `demand` needs. Where not all fits, the table has room
/// for twice the entries that do on average: what fits first may be small.
CacheLayout cache_layout(const CacheDemand& demand, std::uint64_t bytes) noexcept;

}  // namespace penstock
