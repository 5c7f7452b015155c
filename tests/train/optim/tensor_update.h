// One optimizer step on one tensor, as plainly as the rules allow: what a backend does, without
// layouts and threads.
#pragma once

#include <cstddef>
#include <vector>

#include "train/optim/adam_rule.h"
#include "train/optim/adamw_rule.h"
#include "train/optim/ema_rule.h"
#include "train/optim/gradient_rule.h"
#include "train/optim/lamb_rule.h"
#include "train/optim/optimizer_config.h"
#include "train/optim/optimizer_scalars.h"
#include "train/optim/rmsprop_rule.h"
#include "train/optim/sgd_rule.h"

namespace penstock::train::tests {

template <class T>
struct UpdatedTensor {
  std::vector<T> weights;
  std::vector<std::vector<T>> states;  // as many as state_names()
  std::vector<T> ema;

  UpdatedTensor(const OptimizerConfig& config, std::vector<T> initial)
      : weights(std::move(initial)),
        states(state_names(config).size(), std::vector<T>(weights.size())),
        ema(weights) {}
};

template <class T>
void take_lamb_step(UpdatedTensor<T>& tensor, std::vector<T> gradients, const LambStep<T>& step,
                    const OptimizerScalars& scalars, const ParamRates& rates) {
  LambSums sums;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    gradients[i] = lamb_direction(tensor.weights[i], tensor.states[0][i], tensor.states[1][i],
                                  gradients[i], step);
    sums.weights += static_cast<double>(tensor.weights[i]) * tensor.weights[i];
    sums.directions += static_cast<double>(gradients[i]) * gradients[i];
  }
  const T rate = lamb_rate<T>(scalars, rates, sums);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    lamb_rule(tensor.weights[i], gradients[i], rate);
  }
}

template <class T>
void take_element_step(UpdatedTensor<T>& tensor, std::size_t i, T gradient,
                       const OptimizerConfig& config, const OptimizerScalars& scalars) {
  T& weight = tensor.weights[i];
  std::vector<std::vector<T>>& states = tensor.states;
  switch (config.kind) {
    case OptimizerKind::kSgd: {
      const auto step = sgd_step<T>(config, scalars);
      if (states.empty()) return sgd_rule(weight, gradient, step);
      return sgd_rule(weight, states[0][i], gradient, step);
    }
    case OptimizerKind::kAdam:
      return adam_rule(weight, states[0][i], states[1][i], gradient, adam_step<T>(config, scalars));
    case OptimizerKind::kAdamw:
      return adamw_rule(weight, states[0][i], states[1][i], gradient,
                        adamw_step<T>(config, scalars));
    case OptimizerKind::kRmsprop: {
      const auto step = rmsprop_step<T>(config, scalars);
      if (states.size() == 1) return rmsprop_rule(weight, states[0][i], gradient, step);
      return rmsprop_rule(weight, states[0][i], states[1][i], gradient, step);
    }
    case OptimizerKind::kLamb:
      return;
  }
}

template <class T>
void update_tensor(UpdatedTensor<T>& tensor, std::vector<T> gradients,
                   const OptimizerConfig& config, const ParamRates& rates,
                   const OptimizerStep& step) {
  const OptimizerScalars scalars = optimizer_scalars(config, rates, step);
  const auto shape = gradient_step<T>(scalars);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    gradients[i] = shaped_gradient(gradients[i], tensor.weights[i], shape);
    take_element_step(tensor, i, gradients[i], config, scalars);
  }
  if (config.kind == OptimizerKind::kLamb) {
    take_lamb_step(tensor, std::move(gradients), lamb_step<T>(config, scalars), scalars, rates);
  }
  if (config.ema_decay == 0) return;
  for (std::size_t i = 0; i < tensor.ema.size(); ++i) {
    ema_rule(tensor.ema[i], tensor.weights[i], ema_share<T>(scalars));
  }
}

}  // namespace penstock::train::tests
