#include "train/run/epoch/epoch_judge.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "train/run/epoch/epoch_metrics.h"

namespace penstock::train {
namespace {

constexpr RunMetrics kMetrics{.num_classes = 10, .has_validation = true};

/// An epoch with these losses; accuracies that say nothing.
EpochReport epoch(std::uint32_t epoch_idx, double train_loss, double val_loss,
                  double val_accuracy = 0.5) {
  EpochReport report{.epoch_idx = epoch_idx, .num_epochs = 100};
  report.metrics.add(MetricSplit::kTrain, "loss", train_loss);
  report.metrics.add(MetricSplit::kTrain, "accuracy", 0.5);
  report.metrics.add(MetricSplit::kValidation, "loss", val_loss);
  report.metrics.add(MetricSplit::kValidation, "accuracy", val_accuracy);
  return report;
}

EpochJudge judge_of(const RunConfig& config) {
  return {config, kMetrics.names(), kMetrics.num_classes};
}

RunConfig stopping(std::uint32_t patience) {
  RunConfig config;
  config.early_stopping.patience = patience;
  return config;
}

std::string refusal_of(const RunConfig& config, const RunMetrics& metrics) {
  try {
    const EpochJudge judge(config, metrics.names(), metrics.num_classes);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
    return std::string(error.what()) + " | " + error.hint();
  }
  return "accepted";
}

BOOST_AUTO_TEST_SUITE(epoch_judge)

BOOST_AUTO_TEST_CASE(a_monitor_that_the_run_does_not_measure_is_refused_with_the_nearest) {
  RunConfig config = stopping(3);
  config.early_stopping.monitor = "val_los";
  BOOST_TEST(refusal_of(config, kMetrics) ==
             "run: early_stopping.monitor: expected a metric of this run, found 'val_los' | did "
             "you mean 'val_loss'?");
  config = {};
  config.reduce_on_plateau.factor = 0.5;
  BOOST_TEST(refusal_of(config, {.num_classes = 10}) ==
             "run: reduce_on_plateau.monitor: expected a metric of this run, found 'val_loss': the "
             "dataset has no split validation | --reduce-on-plateau.monitor loss");
  BOOST_TEST(refusal_of(stopping(2), {.num_classes = 10}) ==
             "run: early_stopping.monitor: expected a metric of this run, found 'val_loss': the "
             "dataset has no split validation | --early-stopping.monitor loss");
  // One that is off may be anything.
  config = {};
  config.early_stopping.monitor = "whatever";
  BOOST_TEST(refusal_of(config, kMetrics) == "accepted");
}

// By hand, patience 2: 1.0 and 0.9 are the best so far, 0.95 and 0.9 are not.
BOOST_AUTO_TEST_CASE(a_run_ends_when_its_metric_stands_for_the_patience) {
  EpochJudge judge = judge_of(stopping(2));
  BOOST_TEST(judge.keeps_best());
  BOOST_TEST(!judge.best_epoch_idx().has_value());
  BOOST_TEST(judge.judge(epoch(0, 2, 1.0)).is_best);
  BOOST_TEST(judge.judge(epoch(1, 2, 0.9)).is_best);
  const EpochVerdict third = judge.judge(epoch(2, 2, 0.95));
  BOOST_TEST(!third.is_best);
  BOOST_TEST(third.end_reason.empty());
  BOOST_TEST(judge.judge(epoch(3, 2, 0.9)).end_reason ==
             "early stopping: val_loss did not improve for 2 epochs; best 0.9 in epoch 2");
  BOOST_TEST(judge.best_epoch_idx().value() == 1u);
}

BOOST_AUTO_TEST_CASE(which_way_is_better_follows_from_the_metric) {
  RunConfig config = stopping(1);
  config.early_stopping.monitor = "val_accuracy";
  config.restore_best_weights = false;
  EpochJudge judge = judge_of(config);
  BOOST_TEST(!judge.keeps_best());
  BOOST_TEST(judge.judge(epoch(0, 2, 1, 0.5)).is_best);
  BOOST_TEST(judge.judge(epoch(1, 2, 1, 0.6)).is_best);
  BOOST_TEST(!judge.judge(epoch(2, 2, 1, 0.55)).end_reason.empty());
}

// PyTorch's rule with patience 1: the second epoch without improvement lowers the rate.
BOOST_AUTO_TEST_CASE(a_rate_is_lowered_when_its_metric_stands) {
  RunConfig config;
  config.optimizer.learning_rate = 0.1;
  config.reduce_on_plateau.factor = 0.5;
  config.reduce_on_plateau.patience = 1;
  EpochJudge judge = judge_of(config);
  BOOST_TEST(!judge.judge(epoch(0, 2, 1)).peak_learning_rate.has_value());
  BOOST_TEST(!judge.judge(epoch(1, 2, 1)).peak_learning_rate.has_value());
  const EpochVerdict verdict = judge.judge(epoch(2, 2, 1));
  BOOST_TEST(verdict.peak_learning_rate.value() == 0.05);
  BOOST_REQUIRE(verdict.notes.size() == 1u);
  BOOST_TEST(verdict.notes[0] == "learning rate lowered from 0.1 to 0.05: val_loss stands");
  BOOST_TEST(verdict.end_reason.empty());
}

// ln(10) = 2.30: three epochs at the loss of guessing.
BOOST_AUTO_TEST_CASE(a_verdict_on_learning_is_told_once_and_again_when_it_is_another) {
  EpochJudge judge = judge_of({});
  std::vector<std::string> notes;
  for (std::uint32_t idx = 0; idx < 5; ++idx) {
    for (const std::string& note : judge.judge(epoch(idx, 2.3, 2.3)).notes) notes.push_back(note);
  }
  BOOST_REQUIRE(notes.size() == 1u);
  BOOST_TEST(notes[0].starts_with("learning: not learning: the lowest training loss of 3 epochs"));
  BOOST_TEST(judge.learning_line().starts_with("not learning: the lowest training loss of 5 "));
}

// By the thresholds: over the last three epochs the loss fell by far more than 3 %.
BOOST_AUTO_TEST_CASE(more_epochs_are_no_advice_to_a_run_that_ended_before_its_last_one) {
  EpochJudge judge = judge_of({});
  for (const double loss : {2.0, 1.6, 1.2, 0.8}) judge.judge(epoch(0, loss, loss));
  BOOST_TEST(judge.learning_line().ends_with("; try more epochs"));
  BOOST_TEST(judge.early_learning_line() == "");
}

BOOST_AUTO_TEST_CASE(a_run_that_ended_before_its_last_epoch_hears_that_it_does_not_learn) {
  EpochJudge judge = judge_of({});
  for (std::uint32_t idx = 0; idx < 4; ++idx) judge.judge(epoch(idx, 2.3, 2.3));
  BOOST_TEST(judge.early_learning_line().starts_with("not learning: "));
}

// As above, stopped after the fourth epoch and gone on with.
BOOST_AUTO_TEST_CASE(what_was_told_before_a_stop_is_not_told_again) {
  EpochJudge stopped = judge_of({});
  for (std::uint32_t idx = 0; idx < 4; ++idx) stopped.judge(epoch(idx, 2.3, 2.3));
  LoopState state;
  stopped.save(state);
  EpochJudge resumed = judge_of({});
  resumed.restore(state);
  BOOST_TEST(resumed.judge(epoch(4, 2.3, 2.3)).notes.empty());
  BOOST_TEST(resumed.learning_line().starts_with("not learning: the lowest training loss of 5 "));
}

BOOST_AUTO_TEST_CASE(a_restored_judge_goes_on_as_the_other_would) {
  RunConfig config = stopping(3);
  config.reduce_on_plateau.factor = 0.5;
  config.reduce_on_plateau.patience = 2;
  EpochJudge one = judge_of(config);
  for (std::uint32_t idx = 0; idx < 2; ++idx) one.judge(epoch(idx, 2.3, 1));
  LoopState state;
  one.save(state);
  EpochJudge other = judge_of(config);
  other.restore(parse_loop_state(format_loop_state(state), "here"));
  for (std::uint32_t idx = 2; idx < 4; ++idx) {
    const EpochVerdict expected = one.judge(epoch(idx, 2.3, 1));
    const EpochVerdict found = other.judge(epoch(idx, 2.3, 1));
    BOOST_TEST(found.end_reason == expected.end_reason);
    BOOST_TEST((found.peak_learning_rate == expected.peak_learning_rate));
    BOOST_TEST((found.notes == expected.notes));
  }
  // By hand: epoch 1 is the best, 2 to 4 are three bad ones.
  BOOST_TEST(other.best_epoch_idx().value() == 0u);
  LoopState last;
  other.save(last);
  BOOST_TEST(last.plateau.learning_rate == 0.05);
  BOOST_TEST(last.early_stopping.num_bad_epochs == 3u);
  BOOST_TEST(last.history.size() == 4u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
