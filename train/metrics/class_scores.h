// What metrics of one class a sample are fed with: the scores of a batch beside its labels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace penstock::train {

/// One evaluated batch, borrowed.
///
/// Shapes  scores: [samples, num_classes], not yet through softmax; class_idx, weights, sample_ids:
///         [samples]. Empty weights are 1 each.
struct ClassScores {
  std::span<const float> scores = {};
  std::span<const std::uint32_t> class_idx = {};
  std::span<const float> weights = {};
  std::span<const std::uint64_t> sample_ids = {};

  float weight(std::size_t n) const { return weights.empty() ? 1.0f : weights[n]; }
  /// A sample without a label, or of weight 0, counts nowhere.
  bool counts(std::size_t n) const;
  std::span<const float> row(std::size_t n, std::uint32_t num_classes) const {
    return scores.subspan(n * num_classes, num_classes);
  }

  /// Throws InvalidArgument for lengths that do not fit; and, naming the sample, for a weight below 0
  /// or not finite, and in a sample that counts for a class that is not there and for a score that is
  /// not finite. Nothing has been counted then.
  void validate_for(std::uint32_t num_classes) const;
};

}  // namespace penstock::train
