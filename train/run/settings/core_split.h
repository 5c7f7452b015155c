// How many threads compute and how many feed them: a fixed rule of the number of cores.
#pragma once

#include <cstdint>
#include <string>

namespace penstock::train {

struct CoreSplit {
  std::uint32_t num_compute = 1;  // threads of the backend
  std::uint32_t num_readers = 1;  // threads that read and verify
  std::uint32_t num_workers = 1;  // threads that decode and augment

  std::uint32_t num_loader() const noexcept { return num_readers + num_workers; }
  /// "2 compute, 1 reader, 1 worker".
  std::string text() const;

  friend bool operator==(const CoreSplit&, const CoreSplit&) = default;
};

/// Numbers asked for; 0 leaves one to the rule.
struct CoreWish {
  std::uint32_t threads = 0;
  std::uint32_t loader_threads = 0;
  /// Whether a GPU computes.
  bool is_on_gpu = false;
};

/// Splits `num_cores`.
///
/// Rule  Every core computes: a convolution outweighs the decoding of its batch many times, and
///       waiting is passive, so loader threads take over whenever a step leaves a core idle. A
///       quarter as many feed, at least one reader and one worker, at most 16 in all. A quarter of
///       these read: workers, which decode, need many times as long for a photograph; no more of
///       them than cores. Where a GPU computes, as many feed as there are cores, at most 64.
CoreSplit split_cores(std::uint32_t num_cores, const CoreWish& wish = {});

}  // namespace penstock::train
