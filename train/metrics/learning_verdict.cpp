#include "train/metrics/learning_verdict.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <vector>

#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::train {
namespace {

using Epochs = std::span<const LearningEpoch>;

/// Four digits, as people read losses and accuracies.
std::string short_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string epoch_text(const LearningEpoch& epoch) {
  return "epoch " + std::to_string(epoch.epoch);
}

/// Those whose `loss` is a number.
std::vector<LearningEpoch> epochs_with(double LearningEpoch::*loss, Epochs epochs) {
  std::vector<LearningEpoch> found;
  std::ranges::copy_if(epochs, std::back_inserter(found),
                       [&](const LearningEpoch& one) { return std::isfinite(one.*loss); });
  return found;
}

const LearningEpoch& lowest_train(Epochs epochs) {
  return *std::ranges::min_element(epochs, {}, &LearningEpoch::train_loss);
}

constexpr const char* kCalmer =
    "a third of the learning rate, a longer warm-up, or clipped gradients";

LearningVerdict no_number(const LearningEpoch& last) {
  if (std::isfinite(last.train_loss) && !std::isinf(last.validation_loss)) return {};
  return {LearningState::kDiverged, last.epoch,
          "training diverged: the loss of " + epoch_text(last) + " is not a finite number",
          kCalmer};
}

LearningVerdict diverged(Epochs trained, const LearningThresholds& thresholds) {
  const LearningEpoch& last = trained.back();
  const LearningEpoch& lowest = lowest_train(trained);
  const bool is_far_up = last.train_loss > thresholds.divergence_factor * lowest.train_loss;
  if (!is_far_up || !(last.train_loss > trained.front().train_loss)) return {};
  return {LearningState::kDiverged, lowest.epoch + 1,
          "training diverged: its loss was " + short_text(lowest.train_loss) + " in " +
              epoch_text(lowest) + " and is " + short_text(last.train_loss) + " in " +
              epoch_text(last),
          kCalmer};
}

LearningVerdict not_learning(Epochs epochs, double chance_loss,
                             const LearningThresholds& thresholds) {
  if (!(chance_loss > 0) || epochs.size() < thresholds.num_epochs_to_learn) return {};
  const LearningEpoch& lowest = lowest_train(epochs);
  if (lowest.train_loss < chance_loss * (1.0 - thresholds.chance_margin)) return {};
  return {
      LearningState::kNotLearning, epochs.front().epoch,
      "not learning: the lowest training loss of " + std::to_string(epochs.size()) + " epochs is " +
          short_text(lowest.train_loss) + ", guessing gives " + short_text(chance_loss),
      "a learning rate ten times lower, then ten times higher; a few pictures alone until their "
      "loss is near 0; and a look at whether labels belong to their pictures"};
}

/// The network may name classes better and better while it grows too sure of the ones it misses.
bool accuracy_still_rises(const LearningEpoch& then, const LearningEpoch& now) {
  return now.validation_accuracy > then.validation_accuracy;
}

/// "; accuracy 0.99 in training, 0.71 in validation", or nothing where one is not known.
std::string accuracy_text(const LearningEpoch& epoch) {
  if (!std::isfinite(epoch.train_accuracy) || !std::isfinite(epoch.validation_accuracy)) return {};
  return "; accuracy " + short_text(epoch.train_accuracy) + " in training, " +
         short_text(epoch.validation_accuracy) + " in validation";
}

LearningVerdict overfitting(Epochs validated, const LearningThresholds& thresholds) {
  if (validated.size() <= thresholds.num_overfitting_epochs) return {};
  const auto lowest = std::ranges::min_element(validated, {}, &LearningEpoch::validation_loss);
  const double bound = lowest->validation_loss * (1.0 + thresholds.overfitting_rise);
  const Epochs newest = validated.last(thresholds.num_overfitting_epochs);
  const bool has_risen = std::ranges::all_of(
      newest, [&](const LearningEpoch& one) { return one.validation_loss > bound; });
  const LearningEpoch& last = validated.back();
  // The lowest lies before the newest, or one of them would not be above it.
  if (!has_risen || !(last.train_loss < lowest->train_loss)) return {};
  const std::string finding = "validation loss rises while training loss falls since " +
                              epoch_text(*lowest) + " (" + short_text(lowest->validation_loss) +
                              " then, " + short_text(last.validation_loss) + " now" +
                              accuracy_text(last) + ")";
  if (accuracy_still_rises(*lowest, last)) {
    return {LearningState::kOverfitting, lowest->epoch,
            finding + ", though validation accuracy rises too: overfitting, too sure where wrong",
            "label smoothing, mixup, or more weight decay"};
  }
  return {LearningState::kOverfitting, lowest->epoch, finding + ": overfitting",
          "the weights of that epoch, stronger augmentation, more weight decay, dropout, or a "
          "smaller network"};
}

LearningVerdict still_improving(Epochs validated, const LearningThresholds& thresholds) {
  if (validated.size() <= thresholds.num_improving_epochs) return {};
  const LearningEpoch& last = validated.back();
  const LearningEpoch& before = validated[validated.size() - 1 - thresholds.num_improving_epochs];
  const auto lowest = std::ranges::min_element(validated, {}, &LearningEpoch::validation_loss);
  const double bound = before.validation_loss * (1.0 - thresholds.improving_fall);
  if (&*lowest != &last || !(last.validation_loss < bound)) return {};
  return {LearningState::kStillImproving, before.epoch,
          "validation loss was still falling at the end (" + short_text(before.validation_loss) +
              " in " + epoch_text(before) + ", " + short_text(last.validation_loss) + " in " +
              epoch_text(last) + ")",
          "more epochs"};
}

// The comparisons are written so that NaN fails them.
void check_share(const char* field, double value, bool may_be_one_or_more) {
  if (value >= 0 && std::isfinite(value) && (value < 1 || may_be_one_or_more)) return;
  refuse_setting({"learning verdict", field,
                  may_be_one_or_more ? "a number, 0 or more" : "0 to below 1", number_text(value)});
}

}  // namespace

void LearningThresholds::validate() const {
  if (!(divergence_factor > 1 && std::isfinite(divergence_factor))) {
    refuse_setting({"learning verdict", "divergence_factor", "a number above 1",
                    number_text(divergence_factor)});
  }
  check_share("chance_margin", chance_margin, false);
  check_share("overfitting_rise", overfitting_rise, true);
  check_share("improving_fall", improving_fall, false);
  constexpr std::uint64_t kMost = 0xFFFFFFFFu;
  check_range({"learning verdict", "num_epochs_to_learn", num_epochs_to_learn, 1, kMost});
  check_range({"learning verdict", "num_overfitting_epochs", num_overfitting_epochs, 1, kMost});
  check_range({"learning verdict", "num_improving_epochs", num_improving_epochs, 1, kMost});
}

std::string LearningVerdict::line() const {
  return finding.empty() ? std::string() : finding + "; try " + advice;
}

LearningVerdict judge_learning(const LearningHistory& history,
                               const LearningThresholds& thresholds) {
  thresholds.validate();
  if (history.epochs.empty()) return {};
  LearningVerdict verdict = no_number(history.epochs.back());
  if (verdict.state != LearningState::kNothingToSay) return verdict;
  const auto trained = epochs_with(&LearningEpoch::train_loss, history.epochs);
  verdict = diverged(trained, thresholds);
  if (verdict.state != LearningState::kNothingToSay) return verdict;
  verdict = not_learning(trained, history.chance_loss, thresholds);
  if (verdict.state != LearningState::kNothingToSay) return verdict;
  const auto validated = epochs_with(&LearningEpoch::validation_loss, trained);
  verdict = overfitting(validated, thresholds);
  if (verdict.state != LearningState::kNothingToSay) return verdict;
  return still_improving(validated, thresholds);
}

}  // namespace penstock::train
