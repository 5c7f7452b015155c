// Ends a run whose metric has stopped to improve, and tells which epoch was the best. Knows the
// metric by name only; whoever measures it says which way it is better.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "train/optim/metric_improvement.h"

namespace penstock::train {

struct EarlyStoppingConfig {
  /// The metric that is followed.
  std::string monitor = "val_loss";
  MetricDirection direction = MetricDirection::kLowerIsBetter;
  /// Epochs in a row without improvement that end the run, 1 or more.
  std::uint32_t patience = 10;
  /// Smallest change of the metric that counts as an improvement, in its unit, 0 or more.
  double min_delta = 0;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// What a checkpoint stores.
struct EarlyStoppingState {
  std::optional<double> best = {};  // nothing before the first value that is a number
  std::uint32_t best_epoch_idx = 0;
  std::uint32_t num_bad_epochs = 0;  // since the best, in a row

  bool operator==(const EarlyStoppingState&) const = default;
};

struct EpochValue {
  std::uint32_t epoch_idx = 0;
  double value = 0;
};

/// What an epoch's value means.
struct StoppingVerdict {
  EarlyStoppingState state;
  bool is_best = false;  // the weights of this epoch are those to keep
  bool should_stop = false;
};

/// Judges one epoch; to be called with each epoch's value, in order. NaN is no improvement.
///
/// Source  Keras 3, callbacks/early_stopping.py, without its baseline; a min_delta counts there, too,
///         for what is the best. Keras never stops in the very first epoch; here its value is the best,
///         or it was NaN.
StoppingVerdict judge_epoch(const EarlyStoppingConfig& config, const EarlyStoppingState& state,
                            EpochValue epoch);

}  // namespace penstock::train
