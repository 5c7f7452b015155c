// Focal loss of several labels: cross-entropy in which a label that is already right counts less. One
// sample's value and gradient.
// Source  Lin et al. 2017, Focal Loss for Dense Object Detection, eq. 4 and 5; with targets between 0
//         and 1 as in Keras 3, BinaryFocalCrossentropy, and torchvision, sigmoid_focal_loss.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#include "train/loss/loss_spec.h"
#include "train/loss/sample_labels.h"
#include "train/loss/sigmoid.h"

namespace penstock::train {

/// loss = the mean over labels of a q^gamma b, with the plain cross-entropy b = t softplus(-z) +
/// (1 - t) softplus(z), the miss q = t (1 - p) + (1 - t) p, and a = t alpha + (1 - t) (1 - alpha).
template <class T>
class BinaryFocal {
 public:
  PENSTOCK_HOST_DEVICE BinaryFocal(const LossSettings& settings, std::size_t outputs)
      : smoothing_(static_cast<T>(settings.label_smoothing)),
        gamma_(static_cast<T>(settings.focal_gamma)),
        alpha_(settings.focal_alpha),
        share_(T{1} / static_cast<T>(outputs)) {}

  T sample_factor(const TargetRow&) const { return T{1}; }

  T value(std::span<const T> z, const TargetRow& target) const {
    T sum{0};
    for (std::size_t k = 0; k < z.size(); ++k) sum += value_of(z[k], target, k);
    return sum * share_;
  }
  /// What label k adds to the sum that, times share(), is the value.
  PENSTOCK_HOST_DEVICE T value_of(T score, const TargetRow& target, std::size_t k) const {
    const T t = smoothed(target, k);
    return alpha_factor(t, k) * std::pow(miss(score, t), gamma_) * plain(score, t);
  }
  PENSTOCK_HOST_DEVICE T share() const { return share_; }

  /// Writes factor * d loss / d z; `dz` may be `z`.
  void gradient(std::span<const T> z, const TargetRow& target, T factor, std::span<T> dz) const {
    for (std::size_t k = 0; k < z.size(); ++k) dz[k] = gradient_of(z[k], target, k, factor);
  }
  PENSTOCK_HOST_DEVICE T gradient_of(T score, const TargetRow& target, std::size_t k,
                                     T factor) const {
    const T t = smoothed(target, k);
    const T p = sigmoid(score);
    const T not_p = sigmoid(-score);
    const T q = miss(score, t);
    // The derivative of q divided by q stays within 1 where q^(gamma - 1) alone would not.
    const T ratio = q > T{0} ? p * not_p * (T{1} - T{2} * t) / q : T{0};
    const T plain_slope = (T{1} - t) * p - t * not_p;
    const T slope = plain_slope + gamma_ * ratio * plain(score, t);
    return factor * share_ * alpha_factor(t, k) * std::pow(q, gamma_) * slope;
  }

 private:
  PENSTOCK_HOST_DEVICE T smoothed(const TargetRow& target, std::size_t k) const {
    return smoothing_ / T{2} + (T{1} - smoothing_) * target.template at<T>(k);
  }
  PENSTOCK_HOST_DEVICE T alpha_factor(T t, std::size_t k) const {
    if (alpha_.empty()) return T{1};
    const T alpha = static_cast<T>(listed_value(alpha_, k));
    return t * alpha + (T{1} - t) * (T{1} - alpha);
  }
  PENSTOCK_HOST_DEVICE static T plain(T z, T t) {
    return (t != T{0} ? t * softplus(-z) : T{0}) + (t != T{1} ? (T{1} - t) * softplus(z) : T{0});
  }
  PENSTOCK_HOST_DEVICE static T miss(T z, T t) { return t * sigmoid(-z) + (T{1} - t) * sigmoid(z); }

  T smoothing_;
  T gamma_;
  std::span<const float> alpha_;
  T share_;
};

}  // namespace penstock::train
