// What a benchmark holds, beside the loader that it measures.
#pragma once

#include <cstdint>

#include "tools/bench/sample_window.h"

namespace penstock::tools::bench {

/// Bytes, each line by what it is for. One loader at a time is there.
struct BenchMemory {
  std::uint64_t loader_bytes = 0;      // its limit
  std::uint64_t samples_bytes = 0;     // stored bytes and plans of a round's samples
  std::uint64_t workspaces_bytes = 0;  // of all threads
  std::uint64_t libjpeg_bytes = 0;     // what libjpeg allocates for itself, of all threads
  std::uint64_t batches_bytes = 0;     // the rings that stages and ceilings write to
  std::uint64_t decoded_bytes = 0;     // the pixels that warp is given

  std::uint64_t total_bytes() const noexcept;
};

/// Computes the sum before anything of it but the window's plans is held.
BenchMemory bench_memory(const SampleWindow& window, const Stream& stream,
                         const LoaderThreads& loader, std::uint32_t num_threads);

/// Throws OutOfMemory with the sum when it is above `usable_bytes`.
void check_memory(const BenchMemory& memory, std::uint64_t usable_bytes);

}  // namespace penstock::tools::bench
