// Counts which samples of a split a pass has seen: one bit each, so that "each once" is a finding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace penstock::train {

class SampleTally {
 public:
  explicit SampleTally(std::uint64_t num_samples) : seen_((num_samples + 63) / 64) {}

  /// Bytes that a tally of so many samples holds.
  static std::uint64_t bytes_for(std::uint64_t num_samples) noexcept {
    return (num_samples + 63) / 64 * sizeof(std::uint64_t);
  }

  /// Returns how many of them it had not seen. Ids beyond the split are counted, but never as distinct.
  std::uint64_t add(std::span<const std::uint64_t> sample_ids) noexcept {
    const std::uint64_t before = num_distinct_;
    num_added_ += sample_ids.size();
    for (const std::uint64_t id : sample_ids) {
      if (id / 64 >= seen_.size()) continue;
      const std::uint64_t bit = std::uint64_t{1} << id % 64;
      num_distinct_ += (seen_[id / 64] & bit) == 0;
      seen_[id / 64] |= bit;
    }
    return num_distinct_ - before;
  }
  /// Forgets all: the next pass.
  void clear() noexcept {
    std::ranges::fill(seen_, 0);
    num_distinct_ = num_added_ = 0;
  }
  std::uint64_t num_distinct() const noexcept { return num_distinct_; }
  std::uint64_t num_added() const noexcept { return num_added_; }

 private:
  std::vector<std::uint64_t> seen_;
  std::uint64_t num_distinct_ = 0;
  std::uint64_t num_added_ = 0;
};

}  // namespace penstock::train
