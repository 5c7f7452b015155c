// The rule of stochastic gradient descent for one element, written once for every backend.
// Knows nothing of tensors, layouts or schedules. Compilers may not contract it into other rounding
// when runs are to be compared bit for bit.
#pragma once

namespace penstock::train {

/// Numbers of one step that all elements of a parameter share.
template <class T>
struct SgdStep {
  T learning_rate{};
  T momentum{};
  T weight_decay{};  // 0 for parameters that do not decay
  bool nesterov = true;
};

/// Moves one element of a parameter and its momentum.
///
/// Source  PyTorch 2, torch.optim.SGD with dampening 0: g += wd * w; buf = mu * buf + g;
///         w -= lr * (nesterov ? g + mu * buf : buf). A buffer of zeros before the first step gives
///         PyTorch's first step, which clones g.
template <class T>
inline void sgd_rule(T& weight, T& momentum_buffer, T gradient, const SgdStep<T>& step) {
  const T decayed = gradient + step.weight_decay * weight;
  momentum_buffer = step.momentum * momentum_buffer + decayed;
  const T direction = step.nesterov ? decayed + step.momentum * momentum_buffer : momentum_buffer;
  weight -= step.learning_rate * direction;
}

}  // namespace penstock::train
