// The figures of a cache of samples.
#pragma once

#include <cstdint>

namespace penstock {

/// What a cache of samples holds and has served.
struct CacheStats {
  std::uint64_t limit_bytes = 0;  // its table included; less after others drew from it
  std::uint64_t kept_bytes = 0;   // of the samples kept
  std::uint64_t num_kept = 0;     // pictures; one at two decode scales counts twice
  std::uint64_t num_places = 0;   // of batches, as far as they are admitted
  std::uint64_t num_hits = 0;     // of these, served from the cache

  friend bool operator==(const CacheStats&, const CacheStats&) = default;
};

}  // namespace penstock
