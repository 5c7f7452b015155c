// Cross-entropy of a softmax with one class, or with shares of several: one sample's value and
// gradient.
// Source  PyTorch 2, torch.nn.CrossEntropyLoss(weight, label_smoothing): a target t becomes
//         t (1 - e) + e / K, and class k's term counts c_k. A label is the target that is 1 there.
#pragma once

#include <cstddef>
#include <span>

#include "train/loss/loss_spec.h"
#include "train/loss/sample_labels.h"
#include "train/loss/softmax_row.h"

namespace penstock::train {

/// loss = -sum_k c_k t~_k log p_k, with the smoothed target t~.
template <class T>
class SoftmaxCrossEntropy {
 public:
  PENSTOCK_HOST_DEVICE SoftmaxCrossEntropy(const LossSettings& settings, std::size_t outputs)
      : smoothing_(static_cast<T>(settings.label_smoothing)),
        outputs_(static_cast<T>(outputs)),
        class_weights_(settings.class_weights) {
    T sum{0};
    for (const float weight : class_weights_) sum += static_cast<T>(weight);
    if (!class_weights_.empty()) mean_class_weight_ = sum / outputs_;
  }

  /// What the sample's own weight is multiplied by in the denominator; 1 without class weights, also
  /// where the shares do not add up to 1.
  T sample_factor(const TargetRow& target) const {
    return class_weights_.empty() ? T{1} : target.template weighted_sum<T>(class_weights_);
  }
  /// Class k's part of it; not called without class weights, where it is 1.
  PENSTOCK_HOST_DEVICE T sample_factor_of(const TargetRow& target, std::size_t k) const {
    return target.template weighted_share<T>(class_weights_, k);
  }

  T value(std::span<const T> z, const TargetRow& target) const {
    const SoftmaxRow<T> row = softmax_row<T>(z);
    T sum{0};
    for (std::size_t k = 0; k < z.size(); ++k) sum += value_of(row, z[k], target, k);
    return sum;
  }
  /// Class k's part of it.
  PENSTOCK_HOST_DEVICE T value_of(const SoftmaxRow<T>& row, T score, const TargetRow& target,
                                  std::size_t k) const {
    const T share = smoothed(target, k);
    return share != T{0} ? -(share * row.log_probability(score)) : T{0};
  }

  /// Writes factor * d loss / d z; `dz` may be `z`.
  void gradient(std::span<const T> z, const TargetRow& target, T factor, std::span<T> dz) const {
    const SoftmaxRow<T> row = softmax_row<T>(z);
    const T total = target.template weighted_sum<T>(class_weights_);
    for (std::size_t k = 0; k < z.size(); ++k) {
      dz[k] = factor * gradient_of(row, total, z[k], target, k);
    }
  }
  /// Class k's part of the total that every class's gradient needs.
  PENSTOCK_HOST_DEVICE T total_of(const SoftmaxRow<T>&, T, const TargetRow& target,
                                  std::size_t k) const {
    return target.template weighted_share<T>(class_weights_, k);
  }
  PENSTOCK_HOST_DEVICE T gradient_of(const SoftmaxRow<T>& row, T total, T score,
                                     const TargetRow& target, std::size_t k) const {
    // Of the smoothed target: exactly 1 for a label without class weights, whatever the smoothing.
    const T shares = mean_class_weight_ + (T{1} - smoothing_) * (total - mean_class_weight_);
    return row.probability(score) * shares - smoothed(target, k);
  }

 private:
  PENSTOCK_HOST_DEVICE T smoothed(const TargetRow& target, std::size_t k) const {
    const T share = smoothing_ / outputs_ + (T{1} - smoothing_) * target.template at<T>(k);
    return class_weights_.empty() ? share : share * static_cast<T>(class_weights_[k]);
  }

  T smoothing_;
  T outputs_;
  T mean_class_weight_{1};
  std::span<const float> class_weights_;
};

}  // namespace penstock::train
