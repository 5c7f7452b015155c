// The rule of LAMB (You et al., Large batch optimization for deep learning, ICLR 2020, algorithm 2,
// phi the identity). Two passes over a tensor, since its norms decide how far it moves:
//
//     for each element:  direction = lamb_direction(...); sum both squares
//     for each element:  lamb_rule(weight, direction, lamb_rate(...))
#pragma once

#include <cmath>

#include "train/optim/adam_moments.h"

namespace penstock::train {

template <class T>
struct LambStep {
  AdamMoments<T> moments;
  T inv_correction1{};
  T weight_decay{};  // 0 for parameters that do not decay
};

template <class T>
PENSTOCK_HOST_DEVICE LambStep<T> lamb_step(const OptimizerConfig& config,
                                           const OptimizerScalars& scalars) {
  return {adam_moments<T>(config, scalars), static_cast<T>(scalars.inv_correction1),
          static_cast<T>(scalars.weight_decay)};
}

/// Updates the running means of one element and returns its direction r + lambda * x. It fits in the
/// place of the gradient, which is not needed any more.
template <class T>
PENSTOCK_HOST_DEVICE inline T lamb_direction(T weight, T& exp_avg, T& exp_avg_sq, T gradient,
                                             const LambStep<T>& step) {
  const T direction = adam_direction(exp_avg, exp_avg_sq, gradient, step.moments);
  return step.inv_correction1 * direction + step.weight_decay * weight;
}

/// Sums of squares over one tensor.
struct LambSums {
  double weights = 0;
  double directions = 0;
};

/// Returns norm of weights / norm of directions, 1 when either is 0: a tensor of zeros can leave it.
///
/// Source  the case of 0: tensorflow_addons/optimizers/lamb.py
PENSTOCK_HOST_DEVICE inline double lamb_trust_ratio(const LambSums& sums) {
  return sums.weights > 0 && sums.directions > 0 ? std::sqrt(sums.weights / sums.directions) : 1;
}

/// Returns what lamb_rule() takes for a tensor: learning rate times trust ratio, where it is adapted.
template <class T>
PENSTOCK_HOST_DEVICE T lamb_rate(const OptimizerScalars& scalars, const ParamRates& rates,
                                 const LambSums& sums) {
  const double ratio = rates.is_adapted ? lamb_trust_ratio(sums) : 1;
  return static_cast<T>(scalars.learning_rate * ratio);
}

template <class T>
PENSTOCK_HOST_DEVICE inline void lamb_rule(T& weight, T direction, T rate) {
  weight -= rate * direction;
}

}  // namespace penstock::train
