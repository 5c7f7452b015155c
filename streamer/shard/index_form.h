// In which form a split's index is held in memory: whole, or a few pages at a time.
#pragma once

#include <cstdint>

namespace penstock {

/// A form, and what it takes.
struct IndexForm {
  std::uint64_t bytes = 0;
  std::uint32_t num_cached_pages = 0;  // 0: every record is resident

  bool is_resident() const noexcept { return num_cached_pages == 0; }
};

}  // namespace penstock
