#include "train/optim/reduce_on_plateau.h"

#include <algorithm>
#include <cmath>

#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::train {
namespace {

constexpr const char* kOwner = "reduce_on_plateau";
constexpr double kSmallestReduction = 1e-8;  // ReduceLROnPlateau's eps

double reduced(const PlateauConfig& config, double learning_rate) {
  const double lower = std::max(learning_rate * config.factor, config.min_learning_rate);
  return learning_rate - lower > kSmallestReduction ? lower : learning_rate;
}

}  // namespace

// The comparisons are written so that NaN fails them.
void PlateauConfig::validate() const {
  if (monitor.empty()) {
    refuse_setting({kOwner, "monitor", "a metric's name", "\"\"", "monitor = \"val_loss\""});
  }
  if (!(factor > 0 && factor < 1)) {
    refuse_setting({kOwner, "factor", "above 0 and below 1", number_text(factor), "factor = 0.1"});
  }
  if (!(min_delta >= 0 && std::isfinite(min_delta))) {
    refuse_setting({kOwner, "min_delta", "a finite number, 0 or more", number_text(min_delta),
                    "min_delta = 1e-4"});
  }
  if (delta_mode == DeltaMode::kRelative && !(min_delta < 1)) {
    refuse_setting({kOwner, "min_delta", "below 1 where it is relative", number_text(min_delta),
                    "min_delta = 1e-4"});
  }
  if (!(min_learning_rate >= 0 && std::isfinite(min_learning_rate))) {
    refuse_setting({kOwner, "min_learning_rate", "a finite number, 0 or more",
                    number_text(min_learning_rate), "min_learning_rate = 0"});
  }
}

PlateauState after_epoch(const PlateauConfig& config, const PlateauState& state, double value) {
  const ImprovementRule rule{config.direction, config.min_delta, config.delta_mode};
  PlateauState next = state;
  if (is_improved(rule, value, state.best)) {
    next.best = value;
    next.num_bad_epochs = 0;
  } else {
    ++next.num_bad_epochs;
  }
  if (next.num_cooldown_epochs > 0) {
    --next.num_cooldown_epochs;
    next.num_bad_epochs = 0;
  }
  if (next.num_bad_epochs > config.patience) {
    next.learning_rate = reduced(config, next.learning_rate);
    next.num_cooldown_epochs = config.cooldown;
    next.num_bad_epochs = 0;
  }
  return next;
}

}  // namespace penstock::train
