// How much of a stream is measured: batches before the clock and batches on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::tools::bench {

struct StreamBounds {
  std::uint64_t num_samples = 0;   // of the split
  std::uint64_t stored_bytes = 0;  // of the split
  std::uint32_t batch = 1;
  std::uint32_t num_slots = 4;  // batches that are prefetched
  std::uint64_t wanted_samples =
      0;  // on the clock; 0 for an epoch, at least 16 rings of batches, at
          // most 50,000 samples and 256 MiB
  bool is_cold = false;
};

struct StreamLength {
  std::uint64_t num_warm_batches = 0;
  std::uint64_t num_batches = 1;
  /// What differs from the wish, and why; for the user.
  std::vector<std::string> notes = {};
};

/// Whole batches. A cold stream stays within one epoch, warm-up and prefetch included: a sample that
/// is read twice is read from memory the second time. Where the epoch is too short, a note says so.
StreamLength stream_length(const StreamBounds& bounds);

}  // namespace penstock::tools::bench
