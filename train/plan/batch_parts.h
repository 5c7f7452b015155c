// How a batch falls into parts that are computed one after the other: as few as there must be, as equal as
// they can be. Knows nothing of what computes them.
#pragma once

#include <cstdint>

namespace penstock::train {

/// Consecutive samples of a batch.
struct BatchPart {
  std::uint32_t first_sample = 0;
  std::uint32_t num_samples = 0;
};

/// A batch of `num_samples` in parts of at most `most_samples`, 1 or more. Sizes differ by one at most, so
/// that no part has a much worse batch statistic than the others.
class BatchParts {
 public:
  constexpr BatchParts(std::uint32_t num_samples, std::uint32_t most_samples) noexcept
      : num_samples_(num_samples),
        num_parts_(num_samples / most_samples + (num_samples % most_samples > 0 ? 1 : 0)) {}

  constexpr std::uint32_t size() const noexcept { return num_parts_; }
  constexpr BatchPart operator[](std::uint32_t part_idx) const noexcept {
    const std::uint32_t first = begin_of(part_idx);
    return {first, begin_of(part_idx + 1) - first};
  }

 private:
  constexpr std::uint32_t begin_of(std::uint32_t part_idx) const noexcept {
    return static_cast<std::uint32_t>(std::uint64_t{num_samples_} * part_idx / num_parts_);
  }

  std::uint32_t num_samples_;
  std::uint32_t num_parts_;
};

}  // namespace penstock::train
