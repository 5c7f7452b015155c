// What metrics of several labels and of regression are fed with: the scores of a batch beside a target
// for each output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace penstock::train {

/// One evaluated batch, borrowed.
///
/// Shapes  scores, targets: [samples, num_outputs]; weights, sample_ids: [samples]. Empty weights are
///         1 each.
struct TargetScores {
  std::span<const float> scores = {};
  std::span<const float> targets = {};
  std::span<const float> weights = {};
  std::span<const std::uint64_t> sample_ids = {};

  float weight(std::size_t n) const { return weights.empty() ? 1.0f : weights[n]; }
  /// A sample of weight 0 counts nowhere. One without labels needs it: zeros say that it has none of
  /// them.
  bool counts(std::size_t n) const { return weight(n) > 0; }

  /// Throws InvalidArgument for lengths that do not fit; and, naming the sample, for a weight below 0
  /// or not finite, and in a sample that counts for a score or target that is not finite.
  void validate_for(std::uint32_t num_outputs) const;
  /// The same, and that targets of samples that count are 0 or 1.
  void validate_labels_for(std::uint32_t num_labels) const;
};

}  // namespace penstock::train
