// Cross-entropy of several labels, each with a sigmoid of its own: one sample's value and gradient.
// Source  PyTorch 2, torch.nn.BCEWithLogitsLoss(pos_weight); label smoothing t (1 - e) + e / 2 as in
//         Keras 3, BinaryCrossentropy(label_smoothing).
#pragma once

#include <cstddef>
#include <span>

#include "train/loss/loss_spec.h"
#include "train/loss/sample_labels.h"
#include "train/loss/sigmoid.h"

namespace penstock::train {

/// loss = the mean over labels of w t~ softplus(-z) + (1 - t~) softplus(z).
template <class T>
class BinaryCrossEntropy {
 public:
  PENSTOCK_HOST_DEVICE BinaryCrossEntropy(const LossSettings& settings, std::size_t outputs)
      : smoothing_(static_cast<T>(settings.label_smoothing)),
        positive_weights_(settings.positive_weights),
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
    T sum{0};
    if (t != T{0}) sum += positive_weight(k) * t * softplus(-score);
    if (t != T{1}) sum += (T{1} - t) * softplus(score);
    return sum;
  }
  PENSTOCK_HOST_DEVICE T share() const { return share_; }

  /// Writes factor * d loss / d z; `dz` may be `z`.
  void gradient(std::span<const T> z, const TargetRow& target, T factor, std::span<T> dz) const {
    for (std::size_t k = 0; k < z.size(); ++k) dz[k] = gradient_of(z[k], target, k, factor);
  }
  PENSTOCK_HOST_DEVICE T gradient_of(T score, const TargetRow& target, std::size_t k,
                                     T factor) const {
    const T t = smoothed(target, k);
    const T up = (T{1} - t) * sigmoid(score);
    const T down = positive_weight(k) * t * sigmoid(-score);
    return factor * share_ * (up - down);
  }

 private:
  PENSTOCK_HOST_DEVICE T smoothed(const TargetRow& target, std::size_t k) const {
    return smoothing_ / T{2} + (T{1} - smoothing_) * target.template at<T>(k);
  }
  PENSTOCK_HOST_DEVICE T positive_weight(std::size_t k) const {
    return static_cast<T>(listed_value(positive_weights_, k));
  }

  T smoothing_;
  std::span<const float> positive_weights_;
  T share_;
};

}  // namespace penstock::train
