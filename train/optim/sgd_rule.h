// The rule of stochastic gradient descent for one element, written once for every backend.
// Knows nothing of tensors, layouts or schedules. Compilers may not contract it into other rounding
// when runs are to be compared bit for bit.
#pragma once

#include "train/optim/host_device.h"
#include "train/optim/optimizer_scalars.h"

namespace penstock::train {

/// Numbers of one step that all elements of a parameter share.
template <class T>
struct SgdStep {
  T learning_rate{};
  T momentum{};
  T weight_decay{};  // 0 for parameters that do not decay
  bool nesterov = true;
};

template <class T>
PENSTOCK_HOST_DEVICE SgdStep<T> sgd_step(const OptimizerConfig& config,
                                         const OptimizerScalars& scalars) {
  return {static_cast<T>(scalars.learning_rate), static_cast<T>(config.momentum),
          static_cast<T>(scalars.weight_decay), config.nesterov};
}

/// Moves one element of a parameter and its momentum.
///
/// Source  PyTorch 2, torch.optim.SGD with dampening 0: g += wd * w; buf = mu * buf + g;
///         w -= lr * (nesterov ? g + mu * buf : buf). A buffer of zeros before the first step gives
///         PyTorch's first step, which clones g.
template <class T>
PENSTOCK_HOST_DEVICE inline void sgd_rule(T& weight, T& momentum_buffer, T gradient,
                                          const SgdStep<T>& step) {
  const T decayed = gradient + step.weight_decay * weight;
  momentum_buffer = step.momentum * momentum_buffer + decayed;
  const T direction = step.nesterov ? decayed + step.momentum * momentum_buffer : momentum_buffer;
  weight -= step.learning_rate * direction;
}

/// The same with momentum 0, which needs no buffer.
template <class T>
PENSTOCK_HOST_DEVICE inline void sgd_rule(T& weight, T gradient, const SgdStep<T>& step) {
  weight -= step.learning_rate * (gradient + step.weight_decay * weight);
}

}  // namespace penstock::train
