// A stream of passes over the data cut into pieces of so many steps: what a piece holds. Passes go on over
// the cuts, each of them every sample once.
#pragma once

#include <algorithm>
#include <cstdint>

namespace penstock::train {

/// Where a stream is.
struct StreamCut {
  /// Samples of a pass, 1 or more.
  std::uint64_t num_samples = 1;
  /// Samples of a step, 1 or more; a pass's last step has what is left over.
  std::uint64_t samples_per_step = 1;
  /// Samples of the pass under way that were taken, below `num_samples`.
  std::uint64_t num_taken = 0;
};

inline std::uint64_t steps_of(std::uint64_t num_samples, std::uint64_t samples_per_step) noexcept {
  return (num_samples + samples_per_step - 1) / samples_per_step;
}

/// Samples that the next `num_steps` steps take.
inline std::uint64_t samples_of_steps(StreamCut cut, std::uint64_t num_steps) noexcept {
  const std::uint64_t left = cut.num_samples - cut.num_taken;
  const std::uint64_t steps_left = steps_of(left, cut.samples_per_step);
  if (num_steps < steps_left) return num_steps * cut.samples_per_step;
  num_steps -= steps_left;
  const std::uint64_t steps_per_pass = steps_of(cut.num_samples, cut.samples_per_step);
  const std::uint64_t rest = num_steps % steps_per_pass * cut.samples_per_step;
  return left + num_steps / steps_per_pass * cut.num_samples + rest;
}

}  // namespace penstock::train
