// In which form a split's index is held in memory: whole, or a few pages at a time.
#pragma once

#include <cstdint>

#include "streamer/core/memory_budget.h"

namespace penstock {

/// A form, and what it takes.
struct IndexForm {
  std::uint64_t bytes = 0;
  std::uint32_t num_cached_pages = 0;  // 0: every record is resident

  bool is_resident() const noexcept { return num_cached_pages == 0; }
};

/// Chooses the form: resident when it takes no more than an eighth of the limit and than is left for
/// it, else a cache of 16 to 1,024 pages within these. An index no larger than 16 pages is resident.
IndexForm choose_index_form(std::uint64_t num_samples, const MemoryRoom& room) noexcept;

/// Bytes of the smallest form: what choose_index_form() takes where nothing is left.
std::uint64_t least_index_bytes(std::uint64_t num_samples) noexcept;

}  // namespace penstock
