// What happens to one element of a gradient before an optimizer's rule sees it: scaled, clipped by
// value, the L1 penalty added. In this order: a penalty is not clipped, as with PyTorch's optimizers.
#pragma once

#include "train/optim/host_device.h"
#include "train/optim/optimizer_scalars.h"

namespace penstock::train {

template <class T>
struct GradientStep {
  T scale{1};
  T clip_value{};  // 0 for none
  T l1{};
};

template <class T>
PENSTOCK_HOST_DEVICE GradientStep<T> gradient_step(const OptimizerScalars& scalars) {
  return {static_cast<T>(scalars.gradient_scale), static_cast<T>(scalars.clip_value),
          static_cast<T>(scalars.l1)};
}

/// Source  torch.nn.utils.clip_grad_value_ (PyTorch 2), which lets NaN through as this does; the L1
///         penalty is the subgradient l1 * sign(weight), 0 at 0
template <class T>
PENSTOCK_HOST_DEVICE T shaped_gradient(T gradient, T weight, const GradientStep<T>& step) {
  T shaped = gradient * step.scale;
  if (step.clip_value > 0) {
    if (shaped > step.clip_value) shaped = step.clip_value;
    if (shaped < -step.clip_value) shaped = -step.clip_value;
  }
  // No branch: signs of weights are as good as random.
  const T penalty = weight > 0 ? step.l1 : weight < 0 ? -step.l1 : T{0};
  return shaped + penalty;
}

}  // namespace penstock::train
