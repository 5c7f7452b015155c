// What an epoch's metrics mean for the rest of the run: a lower learning rate, weights to keep, an end, and
// what there is to say about its learning.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/loop/loop_state.h"
#include "train/metrics/metric_names.h"
#include "train/run/epoch/epoch_report.h"
#include "train/run/settings/run_config.h"

namespace penstock::train {

struct EpochVerdict {
  /// By early_stopping.monitor: these weights are those to keep.
  bool is_best = false;
  /// Why the run ends here; empty when it goes on.
  std::string end_reason = {};
  /// The schedule's peak from now on, when it is lowered.
  std::optional<double> peak_learning_rate = {};
  /// Lines for the user: of a lowered rate, and of a verdict on learning that is another than before.
  std::vector<std::string> notes = {};
};

/// To be told of every epoch, in order.
class EpochJudge {
 public:
  /// `names` are the metrics that the run will have.
  ///
  /// Errors  InvalidArgument for a monitor that is none of them, with the nearest
  EpochJudge(const RunConfig& config, std::span<const MetricName> names, std::uint32_t num_classes);

  EpochVerdict judge(const EpochReport& report);

  /// Whether the weights to keep are those of the best epoch.
  bool keeps_best() const noexcept;
  /// The best epoch so far; nothing without early stopping, or before the first.
  std::optional<std::uint32_t> best_epoch_idx() const noexcept;
  /// The verdict on learning after the last epoch; empty when there is nothing to say.
  std::string learning_line() const;
  /// The same of a run that ended before its last epoch: more of them is no advice to it.
  std::string early_learning_line() const;

  /// Its part of the loop's state, out and in.
  void save(LoopState& state) const;
  void restore(const LoopState& state);

 private:
  void judge_plateau(const EpochReport& report, EpochVerdict& verdict);
  void judge_stopping(const EpochReport& report, EpochVerdict& verdict);
  void judge_learning_of(const EpochReport& report, EpochVerdict& verdict);

  std::optional<PlateauConfig> plateau_config_;         // nothing when it is off
  std::optional<EarlyStoppingConfig> stopping_config_;  // the same
  bool restores_best_weights_ = false;
  double chance_loss_ = 0;
  PlateauState plateau_;
  EarlyStoppingState stopping_;
  std::vector<LearningEpoch> history_;
  LearningVerdict learning_;
};

}  // namespace penstock::train
