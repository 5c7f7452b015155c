// The running means that adam, adamw and lamb share, and the direction they give, for one element.
#pragma once

#include <cmath>

#include "train/optim/host_device.h"
#include "train/optim/optimizer_scalars.h"

namespace penstock::train {

// 1 - beta is taken in double: as a difference of float32 numbers 1 - 0.999 is off by 1e-5.
template <class T>
struct AdamMoments {
  T one_minus_beta1{};
  T beta2{};
  T one_minus_beta2{};
  T inv_sqrt_correction2{};
  T epsilon{};
};

template <class T>
PENSTOCK_HOST_DEVICE AdamMoments<T> adam_moments(const OptimizerConfig& config,
                                                 const OptimizerScalars& scalars) {
  return {static_cast<T>(1 - config.beta1), static_cast<T>(config.beta2),
          static_cast<T>(1 - config.beta2), static_cast<T>(scalars.inv_sqrt_correction2),
          static_cast<T>(config.epsilon)};
}

/// Updates both means and returns exp_avg / (sqrt(corrected exp_avg_sq) + epsilon). The correction
/// of exp_avg is a factor of the whole and left to the caller.
///
/// Source  PyTorch 2, torch.optim.Adam, _single_tensor_adam
template <class T>
PENSTOCK_HOST_DEVICE inline T adam_direction(T& exp_avg, T& exp_avg_sq, T gradient,
                                             const AdamMoments<T>& moments) {
  exp_avg += moments.one_minus_beta1 * (gradient - exp_avg);
  exp_avg_sq = moments.beta2 * exp_avg_sq + moments.one_minus_beta2 * gradient * gradient;
  return exp_avg / (std::sqrt(exp_avg_sq) * moments.inv_sqrt_correction2 + moments.epsilon);
}

}  // namespace penstock::train
