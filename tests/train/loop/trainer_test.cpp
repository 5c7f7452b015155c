#include "train/loop/trainer.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cmath>
#include <thread>

#include "streamer/core/error.h"
#include "tests/train/loop/small_training.h"

namespace penstock::train {
namespace {

using tests::internal_error_of;

BOOST_FIXTURE_TEST_SUITE(trainer, tests::SmallTraining)

BOOST_AUTO_TEST_CASE(a_step_uploads_runs_the_three_phases_in_order_and_releases) {
  auto batches = source({{0, 1, 2, 3}});
  Trainer(programs, config).train_epoch({.source = batches, .num_samples = 4});
  BOOST_REQUIRE(backend.calls.size() == 5u);
  BOOST_TEST(backend.calls[0].what == "upload");
  BOOST_TEST(backend.calls[1].what == "forward");
  BOOST_TEST(backend.calls[2].what == "backward");
  BOOST_TEST(backend.calls[3].what == "update");
  BOOST_TEST(backend.calls[4].what == "release");
  const StepScalars& scalars = backend.calls[3].scalars;
  BOOST_TEST(scalars.learning_rate == 0.5);
  BOOST_TEST(scalars.inv_weight_sum == 0.25f);
  BOOST_TEST(scalars.seed == 11u);
}

BOOST_DATA_TEST_CASE(a_short_last_batch_runs_on_the_program_of_its_size, tests::kRunsBehind,
                     num_runs_behind) {
  backend.num_runs_behind = num_runs_behind;
  auto batches = source({{0, 1, 2, 3}, {4, 5}});
  Trainer training(programs, config);
  const PassReport report = training.train_epoch({.source = batches, .num_samples = 6});
  BOOST_TEST(backend.calls[backend.calls.size() - 2].what == "update");
  BOOST_TEST(backend.calls[backend.calls.size() - 2].batch == 2u);
  BOOST_TEST(backend.calls.back().scalars.inv_weight_sum == 0.5f);
  BOOST_TEST(backend.calls.back().scalars.step == 1u);
  BOOST_TEST(report.num_steps == 2u);
  // By hand: step 0 loss 0 for 4 samples, step 1 loss 1 for 2; one recognised in each batch.
  BOOST_TEST(report.totals.loss() == 2.0 / 6);
  BOOST_TEST(report.totals.top1() == 2.0 / 6);
  BOOST_TEST(report.is_each_once());
}

BOOST_AUTO_TEST_CASE(a_sample_seen_twice_or_never_is_an_internal_error) {
  const std::string expected = "pass: expected each of 6 samples once, found 6, 5 different";
  auto train = source({{0, 1, 2, 3}, {3, 4}});
  Trainer training(programs, config);
  BOOST_TEST(internal_error_of(
                 [&] { training.train_epoch({.source = train, .num_samples = 6}); }) == expected);
  auto validation = source({{0, 1, 2, 3}, {3, 4}});
  BOOST_TEST(internal_error_of([&] {
               evaluate_epoch(programs, {.source = validation, .num_samples = 6});
             }) == expected);
}

// A split of 6 whose last two are left out: ids may be any of it.
BOOST_AUTO_TEST_CASE(samples_that_a_pass_leaves_out_are_counted_when_it_ends) {
  auto batches = source({{5, 1, 2, 4}});
  Trainer training(programs, config);
  const PassReport report =
      training.train_epoch({.source = batches, .num_samples = 4, .num_left_out = 2});
  BOOST_TEST(report.is_each_once());
  BOOST_TEST(report.num_expected == 4u);
  BOOST_TEST(report.num_left_out == 2u);
}

BOOST_AUTO_TEST_CASE(a_source_that_runs_dry_is_an_internal_error) {
  const std::string expected = "pass: expected each of 8 samples once, found 4, 4 different";
  auto train = source({{0, 1, 2, 3}});
  train.runs_dry = true;
  Trainer training(programs, config);
  BOOST_TEST(internal_error_of(
                 [&] { training.train_epoch({.source = train, .num_samples = 8}); }) == expected);
  auto validation = source({{0, 1, 2, 3}});
  validation.runs_dry = true;
  BOOST_TEST(internal_error_of([&] {
               evaluate_epoch(programs, {.source = validation, .num_samples = 8});
             }) == expected);
}

BOOST_AUTO_TEST_CASE(every_batch_is_told_before_its_step) {
  struct BatchWatch final : PassObserver {
    std::vector<std::vector<std::uint64_t>> told;  // ids of a batch; none for a step
    void on_batch(const BatchView& batch) override {
      told.emplace_back(batch.sample_ids.begin(), batch.sample_ids.begin() + batch.num_valid);
    }
    void on_step(const PassReport&) override { told.emplace_back(); }
  };
  const std::vector<std::vector<std::uint64_t>> expected = {{5, 1, 2, 3}, {}, {4, 0}, {}};
  auto train = source({{5, 1, 2, 3}, {4, 0}});
  BatchWatch of_training;
  Trainer(programs, config)
      .train_epoch({.source = train, .num_samples = 6, .observer = &of_training});
  BOOST_CHECK(of_training.told == expected);
  auto validation = source({{5, 1, 2, 3}, {4, 0}});
  BatchWatch of_validation;
  evaluate_epoch(programs, {.source = validation, .num_samples = 6, .observer = &of_validation});
  BOOST_CHECK(of_validation.told == expected);
}

/// Writes down which steps were skipped.
struct SkipWatch final : PassObserver {
  std::vector<SkippedStep> skipped;
  void on_step(const PassReport&) override {}
  void on_skipped_step(const SkippedStep& step) override { skipped.push_back(step); }
};

const std::vector<std::vector<std::uint64_t>> kFourBatches = {
    {0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}, {12, 13, 14, 15}};

BOOST_DATA_TEST_CASE(a_step_that_is_not_finite_is_skipped_counted_and_told, tests::kRunsBehind,
                     num_runs_behind) {
  backend.num_runs_behind = num_runs_behind;
  backend.infinite_step = 1;
  backend.num_infinite_steps = 2;
  auto batches = source(kFourBatches);
  SkipWatch watch;
  Trainer training(programs, config);
  const PassReport report =
      training.train_epoch({.source = batches, .num_samples = 16, .observer = &watch});
  BOOST_TEST(report.num_steps == 4u);
  BOOST_TEST(report.num_skipped_steps == 2u);
  // By hand: steps 0 and 3, whose losses are 0 and 3, of 4 samples each.
  BOOST_TEST(report.totals.loss() == 1.5);
  BOOST_TEST(report.totals.num_counted == 8u);
  BOOST_REQUIRE(watch.skipped.size() == 2u);
  BOOST_TEST(watch.skipped[0].step_idx == 1u);
  BOOST_TEST(watch.skipped[1].step_idx == 2u);
  BOOST_TEST(watch.skipped[1].num_in_a_row == 2u);
  BOOST_TEST(skipped_step_text(watch.skipped[0]) ==
             "step 1 skipped: its loss or gradients were not finite at learning rate 0.5");
  BOOST_TEST(skipped_step_text(watch.skipped[1]) ==
             "step 2 skipped: its loss or gradients were not finite at learning rate 0.5 (2 in a "
             "row)");
  BOOST_TEST(!training.has_diverged());
  BOOST_TEST(training.state().num_steps == 4u);
  BOOST_TEST(training.state().nan_guard.num_skipped == 2u);
}

BOOST_DATA_TEST_CASE(the_loss_of_a_step_that_only_its_gradients_spoilt_counts_in_no_mean,
                     tests::kRunsBehind, num_runs_behind) {
  backend.num_runs_behind = num_runs_behind;
  backend.infinite_step = 1;
  backend.num_infinite_steps = 2;
  backend.are_infinite_losses = false;
  auto batches = source(kFourBatches);
  const PassReport report =
      Trainer(programs, config).train_epoch({.source = batches, .num_samples = 16});
  BOOST_TEST(report.num_skipped_steps == 2u);
  BOOST_TEST(report.totals.loss() == 1.5);
  BOOST_TEST(report.totals.num_counted == 8u);
}

BOOST_DATA_TEST_CASE(too_many_skipped_steps_in_a_row_end_the_training_with_the_reason,
                     tests::kRunsBehind, num_runs_behind) {
  backend.num_runs_behind = num_runs_behind;
  backend.infinite_step = 1;
  backend.num_infinite_steps = 9;
  config.nan_guard.max_in_a_row = 3;
  auto batches = source(kFourBatches);
  Trainer training(programs, config);
  BOOST_CHECK_EXCEPTION(
      training.train_epoch({.source = batches, .num_samples = 16}), Error, [](const Error& error) {
        return std::string(error.what()) ==
                   "training: the loss or a gradient was not finite in 3 steps in a row (3 in "
                   "all), the last of them step 3 at learning rate 0.5: the training diverged" &&
               error.hint() == "lower --learning-rate";
      });
  BOOST_TEST(training.has_diverged());
}

// One may be the fault of its batch, two in a row are the weights'.
BOOST_DATA_TEST_CASE(weights_are_doubted_after_two_skipped_steps_in_a_row, tests::kRunsBehind,
                     num_runs_behind) {
  backend.num_runs_behind = num_runs_behind;
  for (const std::uint64_t num_skipped : {1u, 2u}) {
    backend.infinite_step = 4 - num_skipped;
    backend.num_infinite_steps = num_skipped;
    auto batches = source(kFourBatches);
    Trainer training(programs, config);
    training.train_epoch({.source = batches, .num_samples = 16});
    BOOST_TEST(training.has_diverged() == (num_skipped == 2));
  }
}

BOOST_AUTO_TEST_CASE(a_restored_trainer_goes_on_where_the_other_was) {
  config.schedule = {.kind = ScheduleKind::kOneCycle, .warmup_fraction = 0.5};
  config.num_steps = 4;
  Trainer training(programs, config);
  // One step taken, and a peak that was lowered to a tenth: one-cycle of 4 steps has its peak in step 1.
  training.restore({.num_steps = 1, .peak_learning_rate = 0.05, .nan_guard = {.num_skipped = 7}});
  auto batches = source({{0, 1, 2, 3}});
  training.train_epoch({.source = batches, .num_samples = 4});
  BOOST_TEST(backend.calls.back().scalars.step == 1u);
  BOOST_TEST(backend.calls.back().scalars.learning_rate == 0.05);
  BOOST_TEST(training.state().num_steps == 2u);
  BOOST_TEST(training.state().nan_guard.num_skipped == 7u);
}

BOOST_DATA_TEST_CASE(scores_that_are_no_numbers_end_an_evaluation, tests::kRunsBehind,
                     num_runs_behind) {
  backend.num_runs_behind = num_runs_behind;
  backend.infinite_step = 1;
  backend.infinite_mode = Mode::kEvaluate;
  auto batches = source({{0, 1, 2, 3}, {4, 5, 6, 7}});
  BOOST_CHECK_EXCEPTION(
      evaluate_epoch(programs, {.source = batches, .num_samples = 8}), Error,
      [](const Error& error) {
        return error.code() == ErrorCode::kInvalidArgument &&
               std::string(error.what()) ==
                   "loss: evaluation step 1: expected a finite number, found none: the weights "
                   "give scores that are no numbers";
      });
}

BOOST_AUTO_TEST_CASE(the_schedule_runs_on_over_epochs) {
  config.schedule = {.kind = ScheduleKind::kOneCycle, .warmup_fraction = 0.5};
  config.num_steps = 4;
  Trainer training(programs, config);
  for (int epoch = 0; epoch < 2; ++epoch) {
    auto batches = source({{0, 1, 2, 3}, {4, 5, 6, 7}});
    training.train_epoch({.source = batches, .num_samples = 8});
  }
  // One-cycle of 4 steps, warm-up 0.5: the peak is step 0.5 * 4 - 1 = 1, the end step 3.
  BOOST_TEST(backend.calls[6].scalars.learning_rate == 0.5f);
  BOOST_TEST(backend.calls.back().scalars.learning_rate == 0.5 / 25 / 1e4);
  BOOST_TEST(backend.calls.back().scalars.step == 3u);
}

/// Has no batch ready before 50 ms have passed on the clock of whoever measures.
class SlowBatches final : public BatchSource {
 public:
  static constexpr std::chrono::milliseconds kWait{50};

  explicit SlowBatches(tests::ListedBatches batches) : batches_(std::move(batches)) {}
  const BatchSpec& spec() const noexcept override { return batches_.spec(); }
  SourceStats stats() const override { return {}; }
  BatchLease next() override {
    const auto ready = std::chrono::steady_clock::now() + kWait;
    while (std::chrono::steady_clock::now() < ready) std::this_thread::sleep_until(ready);
    return batches_.next();
  }

 private:
  tests::ListedBatches batches_;
};

// Lower bounds: on a slow machine everything only takes longer.
BOOST_AUTO_TEST_CASE(what_the_source_takes_is_waiting_time) {
  const std::vector<std::vector<std::uint64_t>> ids = {{0, 1, 2, 3}, {4, 5, 6, 7}};
  SlowBatches train(source(ids));
  Trainer training(programs, config);
  const PassReport trained = training.train_epoch({.source = train, .num_samples = 8});
  BOOST_TEST(trained.waiting_s >= 2 * 0.05);
  BOOST_TEST(trained.waiting_s <= trained.elapsed_s);
  SlowBatches validation(source(ids));
  const PassReport evaluated = evaluate_epoch(programs, {.source = validation, .num_samples = 8});
  BOOST_TEST(evaluated.waiting_s >= 2 * 0.05);
  BOOST_TEST(evaluated.waiting_s <= evaluated.elapsed_s);
}

class ScoreSizes final : public ScoreObserver {
 public:
  std::vector<std::size_t> sizes;
  void on_scores(const ScoredBatch& batch) override {
    BOOST_TEST(batch.num_classes == 2u);
    BOOST_TEST(batch.logits.size() == batch.class_idx.size() * 2);
    sizes.push_back(batch.class_idx.size());
  }
};

BOOST_DATA_TEST_CASE(evaluation_runs_forward_only_and_hands_out_no_padding, tests::kRunsBehind,
                     num_runs_behind) {
  backend.num_runs_behind = num_runs_behind;
  auto batches = source({{0, 1, 2, 3}, {4}});
  ScoreSizes scores;
  const PassReport report =
      evaluate_epoch(programs, {.source = batches, .num_samples = 5}, &scores);
  for (const tests::RecordedCall& call : backend.calls) {
    if (call.what == "upload" || call.what == "release") continue;
    BOOST_TEST((call.mode == Mode::kEvaluate));
    BOOST_TEST(call.batch == 4u);
    BOOST_TEST(call.what == "forward");
  }
  BOOST_TEST((scores.sizes == std::vector<std::size_t>{4, 1}));
  BOOST_TEST(report.totals.num_counted == 5u);
  BOOST_TEST(report.is_each_once());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
