// What the losses of a run say about its learning, in one line, and what to try. A pure function of the
// history; whoever reads the line knows the run.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>

namespace penstock::train {

/// One epoch's means; NaN for what was not measured. Losses decide; accuracies, 0 to 1, are told beside
/// them and choose the advice.
struct LearningEpoch {
  std::uint32_t epoch = 1;  // counted from 1
  double train_loss = std::numeric_limits<double>::quiet_NaN();
  double validation_loss = std::numeric_limits<double>::quiet_NaN();
  double train_accuracy = std::numeric_limits<double>::quiet_NaN();
  double validation_accuracy = std::numeric_limits<double>::quiet_NaN();
};

struct LearningHistory {
  /// In order; every epoch that ended has a train loss, a number or not.
  std::span<const LearningEpoch> epochs;
  /// Loss of guessing: ln(num_classes) for cross-entropy, ln(2) for binary cross-entropy; 0 where it is
  /// not known, as for regression.
  double chance_loss = 0;
};

/// Where a verdict begins. Shares are of the loss that is compared with; the values are by judgement.
struct LearningThresholds {
  /// Diverged: the train loss is so many times its lowest, and above the first epoch's; above 1.
  double divergence_factor = 2.0;
  /// Not learning: after so many epochs, 1 or more, ...
  std::uint32_t num_epochs_to_learn = 3;
  /// ... no train loss is below the loss of guessing by this share of it, 0 to below 1.
  double chance_margin = 0.02;
  /// Overfitting: the last so many validation losses, 1 or more, ...
  std::uint32_t num_overfitting_epochs = 3;
  /// ... are above the lowest by this share, 0 or more, while the train loss fell.
  double overfitting_rise = 0.05;
  /// Still improving: over the last so many epochs, 1 or more, ...
  std::uint32_t num_improving_epochs = 3;
  /// ... the validation loss fell by more than this share, 0 to below 1, to its lowest.
  double improving_fall = 0.03;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

enum class LearningState : std::uint8_t {
  kNothingToSay,
  kDiverged,
  kNotLearning,
  kOverfitting,
  kStillImproving,
};

struct LearningVerdict {
  LearningState state = LearningState::kNothingToSay;
  /// First epoch that the verdict is about; 0 with kNothingToSay.
  std::uint32_t since_epoch = 0;
  std::string finding =
      {};                   // "validation loss rises while training loss falls since epoch 12: ..."
  std::string advice = {};  // what to try

  /// "FINDING; try ADVICE", or empty.
  std::string line() const;
};

/// Looks for the states in the order in which LearningState has them; the first that holds is it.
///
/// Errors  those of LearningThresholds::validate
LearningVerdict judge_learning(const LearningHistory& history,
                               const LearningThresholds& thresholds = {});

}  // namespace penstock::train
