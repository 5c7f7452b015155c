// Lowers the learning rate when a metric has stopped to improve. The state is plain: a checkpoint
// stores its four numbers, and the run goes on as if it had not been interrupted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "train/optim/metric_improvement.h"

namespace penstock::train {

struct PlateauConfig {
  /// The metric that is followed.
  std::string monitor = "val_loss";
  MetricDirection direction = MetricDirection::kLowerIsBetter;
  /// Factor of the rate at each reduction, above 0 and below 1.
  double factor = 0.1;
  /// Epochs without improvement that are put up with; the next one reduces the rate.
  std::uint32_t patience = 10;
  /// Smallest change of the metric that counts as an improvement, 0 or more.
  double min_delta = 1e-4;
  DeltaMode delta_mode = DeltaMode::kRelative;
  /// Epochs after a reduction in which none is counted as bad.
  std::uint32_t cooldown = 0;
  /// The rate never falls below, 0 or more.
  double min_learning_rate = 0;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

struct PlateauState {
  /// What learning_rate_at() takes as the peak.
  double learning_rate = 0;
  std::optional<double> best = {};  // nothing before the first value that is a number
  std::uint32_t num_bad_epochs = 0;
  std::uint32_t num_cooldown_epochs = 0;  // left

  bool operator==(const PlateauState&) const = default;
};

/// Returns the state after an epoch whose metric came to `value`; NaN is no improvement.
///
/// Source  torch.optim.lr_scheduler.ReduceLROnPlateau (PyTorch 2), its eps of 1e-8 included: a
///         reduction by less is not made
PlateauState after_epoch(const PlateauConfig& config, const PlateauState& state, double value);

}  // namespace penstock::train
