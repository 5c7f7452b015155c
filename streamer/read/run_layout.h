// How a run's block of the work arena is divided.
//
//     | encoded 0 | encoded 1 | ... | scratch: the largest | decoded: the largest |
//
// Stored bytes wait in the block for a worker; scratch and pixels are used by one sample at a time.
#pragma once

#include <cstddef>
#include <span>

#include "streamer/read/sample_run.h"

namespace penstock {

struct RunLayout {
  std::size_t encoded_bytes = 0;  // the sum; without those that lie in the cache
  std::size_t scratch_bytes = 0;  // the largest of decoder's and transform's
  std::size_t decoded_bytes = 0;  // the largest

  std::size_t total_bytes() const noexcept { return encoded_bytes + scratch_bytes + decoded_bytes; }
  void add(const SampleTask& task) noexcept;
};

/// Computes the layout of a run from the prices of its samples.
RunLayout run_layout(std::span<const SampleTask> tasks) noexcept;

/// The parts of a run's block, for one walk over its samples.
class RunParts {
 public:
  /// `block` is borrowed, of at least run_layout(tasks).total_bytes().
  RunParts(std::span<const SampleTask> tasks, std::span<std::byte> block) noexcept;

  /// Where the next sample's stored bytes lie, in the block or in the cache; empty when the cache has
  /// its pixels. Once for each task of the run, in order.
  std::span<std::byte> next_encoded(const SampleTask& task) noexcept;
  std::span<std::byte> scratch() const noexcept { return scratch_; }
  std::span<std::byte> decoded() const noexcept { return decoded_; }

 private:
  std::span<std::byte> encoded_;  // those not walked over yet
  std::span<std::byte> scratch_;
  std::span<std::byte> decoded_;
};

}  // namespace penstock
