// When a batch is written past the caches.
#pragma once

#include <cstddef>

#include "streamer/core/batch.h"

namespace penstock::augment {

/// What no cache holds until a trainer reads it is written past them. A batch more than a core's own
/// cache (1 to 2 MiB today) and its part of the shared one hold: a trainer reads whole batches, and
/// small ones were faster to write and to read through the caches.
inline bool is_past_caches(const BatchSpec& spec) noexcept {
  constexpr std::size_t kCacheBytes = 8u << 20;
  return spec.pixels_bytes() > kCacheBytes;
}

}  // namespace penstock::augment
