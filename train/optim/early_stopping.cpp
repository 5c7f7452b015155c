#include "train/optim/early_stopping.h"

#include <cmath>

#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::train {
namespace {

constexpr const char* kOwner = "early_stopping";

}  // namespace

// The comparison is written so that NaN fails it.
void EarlyStoppingConfig::validate() const {
  if (monitor.empty()) {
    refuse_setting({kOwner, "monitor", "a metric's name", "\"\"", "monitor = \"val_loss\""});
  }
  check_range({kOwner, "patience", patience, 1, 100'000, "patience = 10"});
  if (!(min_delta >= 0 && std::isfinite(min_delta))) {
    refuse_setting({kOwner, "min_delta", "a finite number, 0 or more", number_text(min_delta),
                    "min_delta = 0"});
  }
}

StoppingVerdict judge_epoch(const EarlyStoppingConfig& config, const EarlyStoppingState& state,
                            EpochValue epoch) {
  const ImprovementRule rule{.direction = config.direction, .min_delta = config.min_delta};
  if (is_improved(rule, epoch.value, state.best)) {
    return {.state = {.best = epoch.value, .best_epoch_idx = epoch.epoch_idx}, .is_best = true};
  }
  StoppingVerdict verdict{.state = state};
  ++verdict.state.num_bad_epochs;
  verdict.should_stop = verdict.state.num_bad_epochs >= config.patience;
  return verdict;
}

}  // namespace penstock::train
