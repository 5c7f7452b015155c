#include "train/run/epoch/epoch_judge.h"

#include <algorithm>
#include <cmath>

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"

namespace penstock::train {
namespace {

/// "--early-stopping.monitor"
std::string monitor_flag(std::string table) {
  std::ranges::replace(table, '_', '-');
  return "--" + table + ".monitor";
}

/// Finds out which way the metric is better.
MetricDirection direction_of(const char* table, const std::string& monitor,
                             std::span<const MetricName> names) {
  try {
    return find_monitor(monitor, names).direction;
  } catch (const Error& error) {
    // The default monitor is of the validation.
    const bool lacks_validation =
        monitor.starts_with("val_") && std::ranges::none_of(names, [](const MetricName& one) {
          return one.name.starts_with("val_");
        });
    throw Error(error.code(),
                std::string("run: ") + table + "." + error.what() +
                    (lacks_validation ? ": the dataset has no split validation" : ""),
                lacks_validation ? monitor_flag(table) + " loss" : error.hint());
  }
}

std::string epochs_text(std::uint32_t count) {
  return std::to_string(count) + (count == 1 ? " epoch" : " epochs");
}

double value_of(const EpochReport& report, const std::string& monitor) {
  return report.metrics.at(monitor).value;
}

/// NaN for what the run does not measure.
double value_or_nan(const EpochReport& report, std::string_view name) {
  for (const MetricValue& one : report.metrics.values()) {
    if (one.metric.name == name) return one.value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

EpochJudge::EpochJudge(const RunConfig& config, std::span<const MetricName> names,
                       std::uint32_t num_classes)
    : plateau_{.learning_rate = config.optimizer.learning_rate} {
  if (config.reduces_on_plateau()) {
    plateau_config_ = config.reduce_on_plateau;
    plateau_config_->direction = direction_of("reduce_on_plateau", plateau_config_->monitor, names);
  }
  if (config.stops_early()) {
    stopping_config_ = config.early_stopping;
    stopping_config_->direction = direction_of("early_stopping", stopping_config_->monitor, names);
    restores_best_weights_ = config.restore_best_weights;
  }
  // Weights of classes and focal losses have no such simple loss of guessing.
  const bool is_plain = config.loss == LossKind::kSoftmaxCrossEntropy && !config.balances_classes &&
                        config.class_weights.empty();
  if (is_plain) chance_loss_ = std::log(static_cast<double>(num_classes));
}

EpochVerdict EpochJudge::judge(const EpochReport& report) {
  EpochVerdict verdict;
  if (plateau_config_) judge_plateau(report, verdict);
  if (stopping_config_) judge_stopping(report, verdict);
  judge_learning_of(report, verdict);
  return verdict;
}

void EpochJudge::judge_plateau(const EpochReport& report, EpochVerdict& verdict) {
  const double before = plateau_.learning_rate;
  plateau_ = after_epoch(*plateau_config_, plateau_, value_of(report, plateau_config_->monitor));
  if (plateau_.learning_rate == before) return;
  verdict.peak_learning_rate = plateau_.learning_rate;
  verdict.notes.push_back("learning rate lowered from " + number_text(before) + " to " +
                          number_text(plateau_.learning_rate) + ": " + plateau_config_->monitor +
                          " stands");
}

void EpochJudge::judge_stopping(const EpochReport& report, EpochVerdict& verdict) {
  const StoppingVerdict found =
      judge_epoch(*stopping_config_, stopping_,
                  {report.epoch_idx, value_of(report, stopping_config_->monitor)});
  stopping_ = found.state;
  verdict.is_best = found.is_best;
  if (!found.should_stop) return;
  verdict.end_reason = "early stopping: " + stopping_config_->monitor + " did not improve for " +
                       epochs_text(stopping_.num_bad_epochs);
  if (!stopping_.best) return;
  verdict.end_reason += "; best " + number_text(*stopping_.best) + " in epoch " +
                        std::to_string(stopping_.best_epoch_idx + 1);
}

void EpochJudge::judge_learning_of(const EpochReport& report, EpochVerdict& verdict) {
  history_.push_back({.epoch = report.epoch_idx + 1,
                      .train_loss = value_or_nan(report, "loss"),
                      .validation_loss = value_or_nan(report, "val_loss"),
                      .train_accuracy = value_or_nan(report, "accuracy"),
                      .validation_accuracy = value_or_nan(report, "val_accuracy")});
  const LearningState before = learning_.state;
  learning_ = judge_learning({.epochs = history_, .chance_loss = chance_loss_});
  // That it still improves is news at the end only.
  const bool is_news = learning_.state != before &&
                       learning_.state != LearningState::kNothingToSay &&
                       learning_.state != LearningState::kStillImproving;
  if (is_news) verdict.notes.push_back("learning: " + learning_.line());
}

bool EpochJudge::keeps_best() const noexcept {
  return restores_best_weights_;
}

std::optional<std::uint32_t> EpochJudge::best_epoch_idx() const noexcept {
  if (!stopping_config_ || !stopping_.best) return std::nullopt;
  return stopping_.best_epoch_idx;
}

std::string EpochJudge::learning_line() const {
  return learning_.line();
}

std::string EpochJudge::early_learning_line() const {
  return learning_.state == LearningState::kStillImproving ? std::string() : learning_.line();
}

void EpochJudge::save(LoopState& state) const {
  state.plateau = plateau_;
  state.early_stopping = stopping_;
  state.history = history_;
}

void EpochJudge::restore(const LoopState& state) {
  plateau_ = state.plateau;
  stopping_ = state.early_stopping;
  history_ = state.history;
  learning_ = judge_learning({.epochs = history_, .chance_loss = chance_loss_});
}

}  // namespace penstock::train
