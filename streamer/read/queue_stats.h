// The figures of a queue; stage_counters.h counts them.
#pragma once

#include <cstdint>

namespace penstock {

/// Bytes that wait somewhere: now, and the most there were.
struct QueueStats {
  std::uint64_t now_bytes = 0;
  std::uint64_t most_bytes = 0;

  friend bool operator==(const QueueStats&, const QueueStats&) = default;
};

}  // namespace penstock
