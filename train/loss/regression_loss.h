// Losses of regression: one sample's value and gradient, means over its outputs.
// Source  PyTorch 2, torch.nn.MSELoss and torch.nn.L1Loss, whose gradient is 0 where the difference is.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#include "train/loss/loss_spec.h"
#include "train/loss/sample_labels.h"

namespace penstock::train {

/// loss = the mean over outputs of (z - t)^2.
template <class T>
class MeanSquaredError {
 public:
  PENSTOCK_HOST_DEVICE MeanSquaredError(const LossSettings&, std::size_t outputs)
      : share_(T{1} / static_cast<T>(outputs)) {}

  T sample_factor(const TargetRow&) const { return T{1}; }

  T value(std::span<const T> z, const TargetRow& target) const {
    T sum{0};
    for (std::size_t k = 0; k < z.size(); ++k) sum += value_of(z[k], target, k);
    return sum * share_;
  }
  /// What output k adds to the sum that, times share(), is the value.
  PENSTOCK_HOST_DEVICE T value_of(T score, const TargetRow& target, std::size_t k) const {
    const T error = score - target.template at<T>(k);
    return error * error;
  }
  PENSTOCK_HOST_DEVICE T share() const { return share_; }

  /// Writes factor * d loss / d z; `dz` may be `z`.
  void gradient(std::span<const T> z, const TargetRow& target, T factor, std::span<T> dz) const {
    for (std::size_t k = 0; k < z.size(); ++k) dz[k] = gradient_of(z[k], target, k, factor);
  }
  PENSTOCK_HOST_DEVICE T gradient_of(T score, const TargetRow& target, std::size_t k,
                                     T factor) const {
    return factor * share_ * T{2} * (score - target.template at<T>(k));
  }

 private:
  T share_;
};

/// loss = the mean over outputs of |z - t|.
template <class T>
class MeanAbsoluteError {
 public:
  PENSTOCK_HOST_DEVICE MeanAbsoluteError(const LossSettings&, std::size_t outputs)
      : share_(T{1} / static_cast<T>(outputs)) {}

  T sample_factor(const TargetRow&) const { return T{1}; }

  T value(std::span<const T> z, const TargetRow& target) const {
    T sum{0};
    for (std::size_t k = 0; k < z.size(); ++k) sum += value_of(z[k], target, k);
    return sum * share_;
  }
  /// What output k adds to the sum that, times share(), is the value.
  PENSTOCK_HOST_DEVICE T value_of(T score, const TargetRow& target, std::size_t k) const {
    return std::abs(score - target.template at<T>(k));
  }
  PENSTOCK_HOST_DEVICE T share() const { return share_; }

  /// Writes factor * d loss / d z; `dz` may be `z`.
  void gradient(std::span<const T> z, const TargetRow& target, T factor, std::span<T> dz) const {
    for (std::size_t k = 0; k < z.size(); ++k) dz[k] = gradient_of(z[k], target, k, factor);
  }
  PENSTOCK_HOST_DEVICE T gradient_of(T score, const TargetRow& target, std::size_t k,
                                     T factor) const {
    const T error = score - target.template at<T>(k);
    const T sign = static_cast<T>(static_cast<int>(error > T{0}) - static_cast<int>(error < T{0}));
    return factor * share_ * sign;
  }

 private:
  T share_;
};

}  // namespace penstock::train
