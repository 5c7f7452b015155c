// The exponential moving average of the weights, for one element. It starts as a copy of the initial
// weights and moves after the optimizer's rule, in the same steps.
#pragma once

#include "train/optim/host_device.h"
#include "train/optim/optimizer_scalars.h"

namespace penstock::train {

/// Returns the share of the new weights, taken in double as in adam_moments.h.
template <class T>
PENSTOCK_HOST_DEVICE T ema_share(const OptimizerScalars& scalars) {
  return static_cast<T>(1 - scalars.ema_decay);
}

/// Source  ema = decay * ema + (1 - decay) * w, torch.optim.swa_utils.get_ema_multi_avg_fn (PyTorch
///         2), written as its lerp
template <class T>
PENSTOCK_HOST_DEVICE inline void ema_rule(T& ema, T weight, T share) {
  ema += share * (weight - ema);
}

}  // namespace penstock::train
