// When a metric counts as better than its best value so far: what early stopping and the reduction
// of the learning rate share.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "train/metrics/metric_names.h"

namespace penstock::train {

/// How min_delta is meant.
enum class DeltaMode : std::uint8_t {
  kAbsolute,  // best - min_delta, best + min_delta
  kRelative,  // best * (1 - min_delta), best * (1 + min_delta)
};

struct ImprovementRule {
  MetricDirection direction = MetricDirection::kLowerIsBetter;
  /// Smallest change that counts, 0 or more.
  double min_delta = 0;
  DeltaMode delta_mode = DeltaMode::kAbsolute;
};

/// Whether `value` is better than `best` by more than min_delta. NaN never is; the first number is.
///
/// Source  ReduceLROnPlateau._is_better (PyTorch 2)
inline bool is_improved(const ImprovementRule& rule, double value, std::optional<double> best) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const bool is_min = rule.direction == MetricDirection::kLowerIsBetter;
  const double old = best.value_or(is_min ? kInfinity : -kInfinity);
  const double delta = is_min ? -rule.min_delta : rule.min_delta;
  const double bar = rule.delta_mode == DeltaMode::kRelative ? old * (1 + delta) : old + delta;
  return is_min ? value < bar : value > bar;
}

}  // namespace penstock::train
