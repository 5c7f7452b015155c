// The rule of RMSprop for one element, not centered; weight decay is an L2 penalty.
#pragma once

#include <cmath>

#include "train/optim/host_device.h"
#include "train/optim/optimizer_scalars.h"

namespace penstock::train {

template <class T>
struct RmspropStep {
  T learning_rate{};
  T alpha{};
  T one_minus_alpha{};  // taken in double, as in adam_moments.h
  T momentum{};
  T epsilon{};
  T weight_decay{};  // 0 for parameters that do not decay
};

template <class T>
PENSTOCK_HOST_DEVICE RmspropStep<T> rmsprop_step(const OptimizerConfig& config,
                                                 const OptimizerScalars& scalars) {
  return {static_cast<T>(scalars.learning_rate), static_cast<T>(config.alpha),
          static_cast<T>(1 - config.alpha),      static_cast<T>(config.momentum),
          static_cast<T>(config.epsilon),        static_cast<T>(scalars.weight_decay)};
}

/// Updates the mean square and returns the gradient divided by its root.
template <class T>
PENSTOCK_HOST_DEVICE inline T rmsprop_direction(T weight, T& square_avg, T gradient,
                                                const RmspropStep<T>& step) {
  const T decayed = gradient + step.weight_decay * weight;
  square_avg = step.alpha * square_avg + step.one_minus_alpha * decayed * decayed;
  return decayed / (std::sqrt(square_avg) + step.epsilon);
}

/// Moves one element of a parameter, its mean square and its momentum.
///
/// Source  PyTorch 2, torch.optim.RMSprop with centered = False
template <class T>
PENSTOCK_HOST_DEVICE inline void rmsprop_rule(T& weight, T& square_avg, T& momentum_buffer,
                                              T gradient, const RmspropStep<T>& step) {
  momentum_buffer =
      step.momentum * momentum_buffer + rmsprop_direction(weight, square_avg, gradient, step);
  weight -= step.learning_rate * momentum_buffer;
}

/// The same with momentum 0, which needs no buffer.
template <class T>
PENSTOCK_HOST_DEVICE inline void rmsprop_rule(T& weight, T& square_avg, T gradient,
                                              const RmspropStep<T>& step) {
  weight -= step.learning_rate * rmsprop_direction(weight, square_avg, gradient, step);
}

}  // namespace penstock::train
