// The numbers of one optimizer step that all elements of a parameter share, in double. Where a device
// decides whether a step is finite, it calls this itself: no step waits for the host.
#pragma once

#include <cmath>
#include <cstdint>

#include "train/optim/host_device.h"
#include "train/optim/optimizer_config.h"

namespace penstock::train {

/// What sets one parameter apart from the others; param_rates() makes it.
struct ParamRates {
  double learning_rate_scale = 1;
  double weight_decay = 0;
  double l1 = 0;
  /// lamb: whether the step is scaled by lamb_trust_ratio().
  bool is_adapted = true;
};

/// What sets one step apart from the others.
struct OptimizerStep {
  /// The schedule's value for this step.
  double learning_rate = 0;
  /// Steps that this parameter has taken before, those that were skipped left out: 0 at its first.
  std::uint64_t num_finite_steps = 0;
  /// Factor of the gradients: 1 / loss scale, times clip_scale().
  double gradient_scale = 1;
};

struct OptimizerScalars {
  double learning_rate = 0;  // the group's scale included
  double weight_decay = 0;
  double l1 = 0;
  double gradient_scale = 1;
  double clip_value = 0;            // 0 for none
  double inv_correction1 = 1;       // 1 / (1 - beta1^t)
  double inv_sqrt_correction2 = 1;  // 1 / sqrt(1 - beta2^t)
  double ema_decay = 0;             // of this step, its warm-up included; 0 for no EMA
};

/// Source  bias corrections: Kingma and Ba, Adam (2015), algorithm 1, with t = num_finite_steps + 1
PENSTOCK_HOST_DEVICE inline OptimizerScalars optimizer_scalars(const OptimizerConfig& config,
                                                               const ParamRates& rates,
                                                               const OptimizerStep& step) {
  const double t = static_cast<double>(step.num_finite_steps) + 1;
  OptimizerScalars scalars;
  scalars.learning_rate = step.learning_rate * rates.learning_rate_scale;
  scalars.weight_decay = rates.weight_decay;
  scalars.l1 = rates.l1;
  scalars.gradient_scale = step.gradient_scale;
  scalars.clip_value = config.clip_value;
  scalars.inv_correction1 = 1 / (1 - std::pow(config.beta1, t));
  scalars.inv_sqrt_correction2 = 1 / std::sqrt(1 - std::pow(config.beta2, t));
  const double warmup = (1 + t) / (10 + t);
  const bool warms_up = config.ema_warmup && warmup < config.ema_decay;
  scalars.ema_decay = warms_up ? warmup : config.ema_decay;
  return scalars;
}

}  // namespace penstock::train
