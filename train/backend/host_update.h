// One optimizer step over all parameters of a program on the host, by the rules of train/optim. Work is cut
// into a fixed number of parts, so sums come out the same every time.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "train/backend/program.h"
#include "train/backend/statistics_guard.h"
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

/// Rules of all parameters at once, in few parallel regions: most tensors are small. Allocates when it is
/// made, and not when it runs.
///
/// Parallel  called with (num_parts, body), calls body(part) for every part, at the same time or not
template <class T, class Parallel>
class HostUpdate {
 public:
  HostUpdate(const OptimizerConfig& config, unsigned num_parts,
             std::vector<UpdateTensor<T>> tensors, Parallel parallel)
      : config_(config),
        num_parts_(num_parts),
        tensors_(std::move(tensors)),
        parallel_(std::move(parallel)),
        scalars_(tensors_.size()),
        sums_(num_parts) {
    if (config.kind != OptimizerKind::kLamb) return;
    lamb_sums_.resize(tensors_.size() * num_parts);
    lamb_rates_.resize(tensors_.size());
  }

  /// A step whose losses, gradients or `statistics` are not finite leaves everything as it was.
  UpdateReport run(const StepScalars& step, StatisticsGuard<T>& statistics) {
    UpdateReport report;
    report.gradient_norm = norm_of_gradients() * step.gradient_scale;
    report.is_finite = std::isfinite(report.gradient_norm) && statistics.is_finite();
    statistics.end_step(report.is_finite);
    if (!report.is_finite) return report;
    const double scale = clip_scale(config_, report.gradient_norm) * step.gradient_scale;
    for (std::size_t k = 0; k < tensors_.size(); ++k) {
      scalars_[k] = optimizer_scalars(config_, tensors_[k].rates,
                                      {.learning_rate = step.learning_rate,
                                       .num_finite_steps = *tensors_[k].num_steps,
                                       .gradient_scale = scale});
      ++*tensors_[k].num_steps;
    }
    if (config_.kind == OptimizerKind::kLamb) {
      move_lamb();
    } else {
      in_parts(
          [&](unsigned, std::size_t k, Elements part) { move(tensors_[k], scalars_[k], part); });
    }
    return report;
  }

 private:
  struct Elements {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  /// Calls body(part, tensor, its elements of the part) in one parallel region.
  template <class Body>
  void in_parts(const Body& body) {
    parallel_(num_parts_, [&](unsigned part) {
      for (std::size_t k = 0; k < tensors_.size(); ++k) {
        const std::size_t count = tensors_[k].num_elements;
        body(part, k, {count * part / num_parts_, count * (part + 1) / num_parts_});
      }
    });
  }

  static double square(T value) { return static_cast<double>(value) * static_cast<double>(value); }

  /// Several sums side by side, since each addition waits for the one before it.
  static double sum_of_squares(const T* values, Elements elements) {
    std::array<double, 8> sums{};
    std::size_t i = elements.begin;
    for (; i + sums.size() <= elements.end; i += sums.size()) {
      for (std::size_t lane = 0; lane < sums.size(); ++lane) sums[lane] += square(values[i + lane]);
    }
    for (; i < elements.end; ++i) sums.front() += square(values[i]);
    double sum = 0;
    for (const double lane_sum : sums) sum += lane_sum;
    return sum;
  }

  double norm_of_gradients() {
    std::ranges::fill(sums_, 0.0);
    in_parts([&](unsigned part, std::size_t k, Elements elements) {
      sums_[part] += sum_of_squares(tensors_[k].gradient, elements);
    });
    return global_norm(sums_.data(), sums_.size());
  }

  /// Calls rule(i, gradient) for every element, then moves the mean of the weights.
  template <class Rule>
  static void each_element(const UpdateTensor<T>& tensor, const OptimizerScalars& scalars,
                           Elements part, const Rule& rule) {
    const GradientStep<T> shaping = gradient_step<T>(scalars);
    for (std::size_t i = part.begin; i < part.end; ++i) {
      rule(i, shaped_gradient(tensor.gradient[i], tensor.weight[i], shaping));
    }
    move_ema(tensor, scalars, part);
  }

  static void move_ema(const UpdateTensor<T>& tensor, const OptimizerScalars& scalars,
                       Elements part) {
    if (tensor.ema == nullptr) return;
    const T share = ema_share<T>(scalars);
    for (std::size_t i = part.begin; i < part.end; ++i) {
      ema_rule(tensor.ema[i], tensor.weight[i], share);
    }
  }

  void move(const UpdateTensor<T>& t, const OptimizerScalars& scalars, Elements part) const {
    switch (config_.kind) {
      case OptimizerKind::kSgd:
        return move_sgd(t, scalars, part);
      case OptimizerKind::kAdam:
        return each_element(t, scalars, part,
                            [&, step = adam_step<T>(config_, scalars)](std::size_t i, T gradient) {
                              adam_rule(t.weight[i], t.state[0][i], t.state[1][i], gradient, step);
                            });
      case OptimizerKind::kAdamw:
        return each_element(t, scalars, part,
                            [&, step = adamw_step<T>(config_, scalars)](std::size_t i, T gradient) {
                              adamw_rule(t.weight[i], t.state[0][i], t.state[1][i], gradient, step);
                            });
      case OptimizerKind::kRmsprop:
        return move_rmsprop(t, scalars, part);
      case OptimizerKind::kLamb:
        return;  // move_lamb()
    }
  }

  void move_sgd(const UpdateTensor<T>& t, const OptimizerScalars& scalars, Elements part) const {
    const SgdStep<T> step = sgd_step<T>(config_, scalars);
    if (t.state[0] == nullptr) {
      return each_element(t, scalars, part, [&](std::size_t i, T gradient) {
        sgd_rule(t.weight[i], gradient, step);
      });
    }
    each_element(t, scalars, part, [&](std::size_t i, T gradient) {
      sgd_rule(t.weight[i], t.state[0][i], gradient, step);
    });
  }

  void move_rmsprop(const UpdateTensor<T>& t, const OptimizerScalars& scalars,
                    Elements part) const {
    const RmspropStep<T> step = rmsprop_step<T>(config_, scalars);
    if (t.state[1] == nullptr) {
      return each_element(t, scalars, part, [&](std::size_t i, T gradient) {
        rmsprop_rule(t.weight[i], t.state[0][i], gradient, step);
      });
    }
    each_element(t, scalars, part, [&](std::size_t i, T gradient) {
      rmsprop_rule(t.weight[i], t.state[0][i], t.state[1][i], gradient, step);
    });
  }

  /// Directions take the place of the gradients; how far they lead, each tensor's norms decide.
  void move_lamb() {
    in_parts([&](unsigned part, std::size_t k, Elements elements) {
      const UpdateTensor<T>& t = tensors_[k];
      const LambStep<T> step = lamb_step<T>(config_, scalars_[k]);
      const GradientStep<T> shaping = gradient_step<T>(scalars_[k]);
      LambSums sum;
      for (std::size_t i = elements.begin; i < elements.end; ++i) {
        const T gradient = shaped_gradient(t.gradient[i], t.weight[i], shaping);
        t.gradient[i] = lamb_direction(t.weight[i], t.state[0][i], t.state[1][i], gradient, step);
        sum.weights += square(t.weight[i]);
        sum.directions += square(t.gradient[i]);
      }
      lamb_sums_[k * num_parts_ + part] = sum;
    });
    for (std::size_t k = 0; k < tensors_.size(); ++k) {
      LambSums whole;
      for (unsigned part = 0; part < num_parts_; ++part) {
        whole.weights += lamb_sums_[k * num_parts_ + part].weights;
        whole.directions += lamb_sums_[k * num_parts_ + part].directions;
      }
      lamb_rates_[k] = lamb_rate<T>(scalars_[k], tensors_[k].rates, whole);
    }
    in_parts([&](unsigned, std::size_t k, Elements elements) {
      for (std::size_t i = elements.begin; i < elements.end; ++i) {
        lamb_rule(tensors_[k].weight[i], tensors_[k].gradient[i], lamb_rates_[k]);
      }
      move_ema(tensors_[k], scalars_[k], elements);
    });
  }

  const OptimizerConfig& config_;
  unsigned num_parts_;
  std::vector<UpdateTensor<T>> tensors_;
  Parallel parallel_;
  std::vector<OptimizerScalars> scalars_;  // by tensor
  std::vector<double> sums_;               // by part
  std::vector<LambSums> lamb_sums_;        // by tensor, then part
  std::vector<T> lamb_rates_;              // by tensor
};

}  // namespace penstock::train
