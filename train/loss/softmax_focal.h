// Focal loss over a softmax: cross-entropy in which a class that has its probability already counts
// less. One sample's value and gradient.
// Source  Lin et al. 2017, Focal Loss for Dense Object Detection, eq. 4 and 5; over classes as in
//         Keras 3, CategoricalFocalCrossentropy. Class weights come on top, as in cross-entropy.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#include "train/loss/loss_spec.h"
#include "train/loss/sample_labels.h"
#include "train/loss/softmax_row.h"

namespace penstock::train {

/// loss = -sum_k c_k alpha_k t~_k (1 - p_k)^gamma log p_k.
template <class T>
class SoftmaxFocal {
 public:
  PENSTOCK_HOST_DEVICE SoftmaxFocal(const LossSettings& settings, std::size_t outputs)
      : smoothing_(static_cast<T>(settings.label_smoothing)),
        gamma_(static_cast<T>(settings.focal_gamma)),
        alpha_(settings.focal_alpha),
        class_weights_(settings.class_weights),
        outputs_(static_cast<T>(outputs)) {}

  /// What the sample's own weight is multiplied by in the denominator. Alpha is not part of it.
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
    const T share = share_of(target, k);
    if (share == T{0}) return T{0};
    const T log_p = row.log_probability(score);
    return -(share * std::pow(-std::expm1(log_p), gamma_) * log_p);
  }

  /// Writes factor * d loss / d z; `dz` may be `z`.
  void gradient(std::span<const T> z, const TargetRow& target, T factor, std::span<T> dz) const {
    const SoftmaxRow<T> row = softmax_row<T>(z);
    T total{0};
    for (std::size_t k = 0; k < z.size(); ++k) total += total_of(row, z[k], target, k);
    for (std::size_t k = 0; k < z.size(); ++k) {
      dz[k] = factor * gradient_of(row, total, z[k], target, k);
    }
  }
  /// Class k's part of the total that every class's gradient needs.
  PENSTOCK_HOST_DEVICE T total_of(const SoftmaxRow<T>& row, T score, const TargetRow& target,
                                  std::size_t k) const {
    return slope(row, score, share_of(target, k));
  }
  PENSTOCK_HOST_DEVICE T gradient_of(const SoftmaxRow<T>& row, T total, T score,
                                     const TargetRow& target, std::size_t k) const {
    return total_of(row, score, target, k) - row.probability(score) * total;
  }

 private:
  PENSTOCK_HOST_DEVICE T share_of(const TargetRow& target, std::size_t k) const {
    const T smoothed = smoothing_ / outputs_ + (T{1} - smoothing_) * target.template at<T>(k);
    return smoothed * static_cast<T>(listed_value(alpha_, k)) *
           static_cast<T>(listed_value(class_weights_, k));
  }

  /// Derivative of one class's term by log p: share * ((gamma p log p) / q - 1) q^gamma, q = 1 - p.
  /// log p / q goes to -1 as q goes to 0, where the power alone would be infinite for gamma below 1.
  PENSTOCK_HOST_DEVICE T slope(const SoftmaxRow<T>& row, T score, T share) const {
    if (share == T{0}) return T{0};
    const T log_p = row.log_probability(score);
    const T q = -std::expm1(log_p);
    const T ratio = q > T{0} ? log_p / q : T{-1};
    return share * (gamma_ * std::exp(log_p) * ratio - T{1}) * std::pow(q, gamma_);
  }

  T smoothing_;
  T gamma_;
  std::span<const float> alpha_;
  std::span<const float> class_weights_;
  T outputs_;
};

}  // namespace penstock::train
