// What the scores of a batch are held against: class indices, or a target for each output.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "streamer/core/batch.h"
#include "train/optim/host_device.h"

namespace penstock::train {

/// Rows and columns of scores, targets and gradients.
struct ScoreShape {
  std::size_t batch = 0;
  std::size_t outputs = 0;
};

/// Labels of a batch, borrowed.
///
/// Shapes  class_idx, weights: [batch]; targets: [batch, outputs]. Without targets the class index is
///         the target: 1 there and 0 elsewhere. Without class indices the targets are all there is.
///         Empty weights are 1 each.
struct SampleLabels {
  std::span<const std::uint32_t> class_idx = {};
  std::span<const float> targets = {};
  std::span<const float> weights = {};

  PENSTOCK_HOST_DEVICE float weight(std::size_t n) const {
    return weights.empty() ? 1.0f : weights[n];
  }
  /// A sample without a label, or of weight 0, counts nowhere.
  PENSTOCK_HOST_DEVICE bool counts(std::size_t n) const {
    return (class_idx.empty() || class_idx[n] != kUnlabelled) && weight(n) > 0;
  }

  /// Throws InvalidArgument for lengths that do not fit, a weight below 0 or not finite, and a class
  /// that the network does not have.
  void validate_for(const ScoreShape& shape) const;
};

/// Those of the first `num_samples` places of a batch, borrowed from it.
SampleLabels labels_of(const BatchView& batch, std::size_t num_samples);

/// The target of one sample that counts, before it is smoothed.
class TargetRow {
 public:
  PENSTOCK_HOST_DEVICE TargetRow(const ScoreShape& shape, const SampleLabels& labels,
                                 std::size_t n) {
    if (labels.targets.empty()) {
      label_ = labels.class_idx[n];
    } else {
      shares_ = labels.targets.subspan(n * shape.outputs, shape.outputs);
    }
  }

  template <class T>
  PENSTOCK_HOST_DEVICE T at(std::size_t k) const {
    if (shares_.empty()) return T(k == label_ ? 1 : 0);
    return static_cast<T>(shares_[k]);
  }
  /// The sum of the shares, each times its `weights` (1 where empty).
  template <class T>
  PENSTOCK_HOST_DEVICE T weighted_sum(std::span<const float> weights) const {
    const auto weight = [&](std::size_t k) { return weights.empty() ? T{1} : T(weights[k]); };
    if (shares_.empty()) return weight(label_);
    T sum{0};
    for (std::size_t k = 0; k < shares_.size(); ++k) sum += static_cast<T>(shares_[k]) * weight(k);
    return sum;
  }
  /// Class k's part of it.
  template <class T>
  PENSTOCK_HOST_DEVICE T weighted_share(std::span<const float> weights, std::size_t k) const {
    return weights.empty() ? at<T>(k) : at<T>(k) * T(weights[k]);
  }
  /// The class of the largest share, the first one when tied.
  std::size_t top_class() const {
    if (shares_.empty()) return label_;
    return static_cast<std::size_t>(std::ranges::max_element(shares_) - shares_.begin());
  }

 private:
  std::size_t label_ = 0;
  std::span<const float> shares_;
};

/// Whether the score of one label among several is on the side that its target says.
template <class T>
PENSTOCK_HOST_DEVICE bool is_on_side(T score, T target) {
  return (score >= T{0}) == (target >= T{0.5});
}

}  // namespace penstock::train
