// The rule of AdamW for one element: Adam with weight decay decoupled from the gradient
// (Loshchilov and Hutter, Decoupled weight decay regularization, 2019, algorithm 2).
#pragma once

#include "train/optim/adam_moments.h"

namespace penstock::train {

template <class T>
struct AdamwStep {
  AdamMoments<T> moments;
  T step_size{};    // learning rate / (1 - beta1^t)
  T kept_share{1};  // 1 - learning rate * weight decay; 1 for parameters that do not decay
};

template <class T>
PENSTOCK_HOST_DEVICE AdamwStep<T> adamw_step(const OptimizerConfig& config,
                                             const OptimizerScalars& scalars) {
  return {adam_moments<T>(config, scalars),
          static_cast<T>(scalars.learning_rate * scalars.inv_correction1),
          static_cast<T>(1 - scalars.learning_rate * scalars.weight_decay)};
}

/// Moves one element of a parameter and its running means.
///
/// Source  PyTorch 2, torch.optim.AdamW without amsgrad
template <class T>
PENSTOCK_HOST_DEVICE inline void adamw_rule(T& weight, T& exp_avg, T& exp_avg_sq, T gradient,
                                            const AdamwStep<T>& step) {
  const T direction = adam_direction(exp_avg, exp_avg_sq, gradient, step.moments);
  weight = weight * step.kept_share - step.step_size * direction;
}

}  // namespace penstock::train
