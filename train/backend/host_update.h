// One optimizer step over all parameters of a program on the host, by the rules of train/optim. Work is cut
// into a fixed number of parts, so sums come out the same every time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "train/backend/program.h"
#include "train/optim/adam_rule.h"
#include "train/optim/adamw_rule.h"
#include "train/optim/ema_rule.h"
#include "train/optim/gradient_norm.h"
#include "train/optim/gradient_rule.h"
#include "train/optim/lamb_rule.h"
#include "train/optim/rmsprop_rule.h"
#include "train/optim/sgd_rule.h"

namespace penstock::train {

/// A parameter that learns, and what the optimizer keeps for it; padding is 0 and stays so.
template <class T>
struct UpdateTensor {
  std::size_t num_elements = 0;
  T* weight = nullptr;
  T* gradient = nullptr;  // lamb leaves its directions there
  T* state[2] = {};       // in the order of state_names(); null where there are fewer
  T* ema = nullptr;       // null without
  std::uint64_t* num_steps = nullptr;
  ParamRates rates{};
};

/// Calls `body(part)` for every part; parts may run at the same time.
template <class T, class Parallel>
class HostUpdate {
 public:
  HostUpdate(const OptimizerConfig& config, unsigned num_parts, Parallel parallel)
      : config_(config), num_parts_(num_parts), parallel_(std::move(parallel)) {}

  /// A step whose gradients are not finite leaves everything as it was.
  UpdateReport run(std::span<const UpdateTensor<T>> tensors, double learning_rate) {
    UpdateReport report;
    report.gradient_norm = norm_of_gradients(tensors);
    report.is_finite = std::isfinite(report.gradient_norm);
    if (!report.is_finite) return report;
    const double scale = clip_scale(config_, report.gradient_norm);
    for (const UpdateTensor<T>& tensor : tensors) {
      move(tensor, optimizer_scalars(config_, tensor.rates,
                                     {.learning_rate = learning_rate,
                                      .num_finite_steps = *tensor.num_steps,
                                      .gradient_scale = scale}));
      ++*tensor.num_steps;
    }
    return report;
  }

 private:
  std::size_t begin_of(std::size_t count, unsigned part) const { return count * part / num_parts_; }

  /// Calls each(i) for the elements of a tensor, and sums up what it returns.
  template <class Each>
  double sum_over(std::size_t count, const Each& each) {
    std::vector<double> sums(num_parts_, 0.0);
    parallel_(num_parts_, [&](unsigned part) {
      double sum = 0;
      for (std::size_t i = begin_of(count, part); i < begin_of(count, part + 1); ++i) {
        sum += each(i);
      }
      sums[part] = sum;
    });
    double sum = 0;
    for (const double part : sums) sum += part;
    return sum;
  }

  static double square(T value) { return static_cast<double>(value) * static_cast<double>(value); }

  double norm_of_gradients(std::span<const UpdateTensor<T>> tensors) {
    double sum = 0;
    for (const UpdateTensor<T>& tensor : tensors) {
      sum +=
          sum_over(tensor.num_elements, [&](std::size_t i) { return square(tensor.gradient[i]); });
    }
    return global_norm(&sum, 1);
  }

  /// Calls rule(i, gradient) for every element, then moves the mean of the weights.
  template <class Rule>
  void each_element(const UpdateTensor<T>& tensor, const OptimizerScalars& scalars,
                    const Rule& rule) {
    const GradientStep<T> shaping = gradient_step<T>(scalars);
    const T share = ema_share<T>(scalars);
    parallel_(num_parts_, [&](unsigned part) {
      const std::size_t end = begin_of(tensor.num_elements, part + 1);
      for (std::size_t i = begin_of(tensor.num_elements, part); i < end; ++i) {
        rule(i, shaped_gradient(tensor.gradient[i], tensor.weight[i], shaping));
        if (tensor.ema != nullptr) ema_rule(tensor.ema[i], tensor.weight[i], share);
      }
    });
  }

  void move(const UpdateTensor<T>& t, const OptimizerScalars& scalars) {
    switch (config_.kind) {
      case OptimizerKind::kSgd:
        return move_sgd(t, scalars);
      case OptimizerKind::kAdam:
        return each_element(t, scalars,
                            [&, step = adam_step<T>(config_, scalars)](std::size_t i, T gradient) {
                              adam_rule(t.weight[i], t.state[0][i], t.state[1][i], gradient, step);
                            });
      case OptimizerKind::kAdamw:
        return each_element(t, scalars,
                            [&, step = adamw_step<T>(config_, scalars)](std::size_t i, T gradient) {
                              adamw_rule(t.weight[i], t.state[0][i], t.state[1][i], gradient, step);
                            });
      case OptimizerKind::kRmsprop:
        return move_rmsprop(t, scalars);
      case OptimizerKind::kLamb:
        return move_lamb(t, scalars);
    }
  }

  void move_sgd(const UpdateTensor<T>& t, const OptimizerScalars& scalars) {
    const SgdStep<T> step = sgd_step<T>(config_, scalars);
    if (t.state[0] == nullptr) {
      return each_element(
          t, scalars, [&](std::size_t i, T gradient) { sgd_rule(t.weight[i], gradient, step); });
    }
    each_element(t, scalars, [&](std::size_t i, T gradient) {
      sgd_rule(t.weight[i], t.state[0][i], gradient, step);
    });
  }

  void move_rmsprop(const UpdateTensor<T>& t, const OptimizerScalars& scalars) {
    const RmspropStep<T> step = rmsprop_step<T>(config_, scalars);
    if (t.state[1] == nullptr) {
      return each_element(t, scalars, [&](std::size_t i, T gradient) {
        rmsprop_rule(t.weight[i], t.state[0][i], gradient, step);
      });
    }
    each_element(t, scalars, [&](std::size_t i, T gradient) {
      rmsprop_rule(t.weight[i], t.state[0][i], t.state[1][i], gradient, step);
    });
  }

  void move_lamb(const UpdateTensor<T>& t, const OptimizerScalars& scalars) {
    const LambStep<T> step = lamb_step<T>(config_, scalars);
    const GradientStep<T> shaping = gradient_step<T>(scalars);
    LambSums sums;
    sums.weights = sum_over(t.num_elements, [&](std::size_t i) { return square(t.weight[i]); });
    sums.directions = sum_over(t.num_elements, [&](std::size_t i) {
      const T gradient = shaped_gradient(t.gradient[i], t.weight[i], shaping);
      t.gradient[i] = lamb_direction(t.weight[i], t.state[0][i], t.state[1][i], gradient, step);
      return square(t.gradient[i]);
    });
    const T rate = lamb_rate<T>(scalars, t.rates, sums);
    const T share = ema_share<T>(scalars);
    parallel_(num_parts_, [&](unsigned part) {
      const std::size_t end = begin_of(t.num_elements, part + 1);
      for (std::size_t i = begin_of(t.num_elements, part); i < end; ++i) {
        lamb_rule(t.weight[i], t.gradient[i], rate);
        if (t.ema != nullptr) ema_rule(t.ema[i], t.weight[i], share);
      }
    });
  }

  const OptimizerConfig& config_;
  unsigned num_parts_;
  Parallel parallel_;
};

}  // namespace penstock::train
