// The rule of Adam for one element (Kingma and Ba 2015); weight decay is an L2 penalty.
#pragma once

#include "train/optim/adam_moments.h"

namespace penstock::train {

template <class T>
struct AdamStep {
  AdamMoments<T> moments;
  T step_size{};     // learning rate / (1 - beta1^t)
  T weight_decay{};  // 0 for parameters that do not decay
};

template <class T>
PENSTOCK_HOST_DEVICE AdamStep<T> adam_step(const OptimizerConfig& config,
                                           const OptimizerScalars& scalars) {
  return {adam_moments<T>(config, scalars),
          static_cast<T>(scalars.learning_rate * scalars.inv_correction1),
          static_cast<T>(scalars.weight_decay)};
}

/// Moves one element of a parameter and its running means.
///
/// Source  PyTorch 2, torch.optim.Adam without amsgrad
template <class T>
PENSTOCK_HOST_DEVICE inline void adam_rule(T& weight, T& exp_avg, T& exp_avg_sq, T gradient,
                                           const AdamStep<T>& step) {
  const T decayed = gradient + step.weight_decay * weight;
  weight -= step.step_size * adam_direction(exp_avg, exp_avg_sq, decayed, step.moments);
}

}  // namespace penstock::train
