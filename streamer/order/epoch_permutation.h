// The order of one epoch as a keyed bijection: a true global shuffle in constant memory.
#pragma once

#include <cstdint>

#include "streamer/order/feistel.h"

namespace penstock {

/// Maps positions of an epoch to sample indices, each exactly once.
///
/// Cost     as Feistel's; no memory
/// Threads  immutable
class EpochPermutation {
 public:
  struct Key {
    std::uint64_t seed = 0;
    std::uint32_t epoch = 0;
  };

  EpochPermutation(std::uint64_t num_samples, Key key) noexcept
      : num_samples_(num_samples), feistel_({.seed = key.seed, .epoch = key.epoch}) {}

  /// Returns the sample index at `position`, which must be below num_samples.
  std::uint64_t sample_at(std::uint64_t position) const noexcept {
    return feistel_.permute(position, {.size = num_samples_});
  }

 private:
  std::uint64_t num_samples_;
  Feistel feistel_;
};

}  // namespace penstock
