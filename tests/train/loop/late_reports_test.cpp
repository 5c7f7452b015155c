// A backend that runs ahead of its reports: the trainer does not wait for them in every step, and counts each
// where it belongs.
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <stop_token>
#include <vector>

#include "tests/train/loop/recording_backend.h"
#include "tests/train/loop/small_training.h"
#include "train/loop/trainer.h"

namespace penstock::train {
namespace {

/// Steps of two batches of 4 samples, in parts of 2; the loss of a sample is the number of its step.
struct Accumulated {
  ModelGraph graph = tests::two_class_model();
  tests::RecordingBackend backend;
  ProgramSet programs{
      backend,
      graph,
      {.train_batch = 8, .lease_batch = 4, .micro_batch = 2, .evaluation_batch = 4}};
  Trainer trainer{programs, {.schedule = {.kind = ScheduleKind::kConstant}, .num_steps = 9}};

  Accumulated() { programs.bind(); }
  tests::ListedBatches batches(std::uint64_t num_batches) const {
    std::vector<std::vector<std::uint64_t>> ids;
    for (std::uint64_t i = 0; i < num_batches; ++i) {
      ids.push_back({4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3});
    }
    return {backend.input_spec(graph, 4), ids};
  }
};

/// Asks for a stop after so many parts, of which a step tells three.
struct StopAfterParts final : PassObserver {
  int num_left;
  std::stop_source stop;
  explicit StopAfterParts(int num_parts) : num_left(num_parts) {}
  void on_step(const PassReport&) override {}
  void on_part() override {
    if (--num_left == 0) stop.request_stop();
  }
};

BOOST_FIXTURE_TEST_SUITE(late_reports, Accumulated)

BOOST_DATA_TEST_CASE(a_step_dropped_by_a_stop_counts_nowhere_and_those_before_it_whole,
                     tests::kRunsBehind, num_runs_behind) {
  backend.num_runs_behind = num_runs_behind;
  backend.infinite_step = 1;
  for (const int num_parts :
       {7, 8, 9}) {  // in the third step: after its first part, batch, third part
    trainer.restore({});
    auto source = batches(8);
    StopAfterParts observer(num_parts);
    const PassReport report = trainer.train_epoch({.source = source,
                                                   .num_samples = 32,
                                                   .observer = &observer,
                                                   .stop = observer.stop.get_token()});
    BOOST_TEST(report.was_stopped);
    BOOST_TEST(report.num_steps == 2u);
    BOOST_TEST(report.num_skipped_steps == 1u);
    BOOST_TEST(report.num_samples == 16u);
    BOOST_TEST(report.num_distinct == 16u);
    BOOST_TEST(report.next->next_position == 16u);
    // Step 0 alone: its loss is 0.
    BOOST_TEST(report.totals.num_counted == 8u);
    BOOST_TEST(report.totals.loss() == 0.0);
    BOOST_TEST(trainer.state().num_steps == 2u);
    BOOST_TEST(source.num_lent() == 0);
  }
}

BOOST_AUTO_TEST_CASE(no_step_waits_for_the_one_before) {
  const auto num_waits = [&](std::uint64_t num_steps) {
    backend.num_finishes = 0;
    auto source = batches(2 * num_steps);
    trainer.train_epoch({.source = source, .num_samples = 8 * num_steps});
    return backend.num_finishes;
  };
  const std::uint64_t of_one_step = num_waits(1);
  BOOST_TEST(num_waits(5) == of_one_step);
}

// A device goes on while the host asks it: the update is known though its losses were not a moment before.
BOOST_AUTO_TEST_CASE(losses_that_come_between_two_questions_are_counted) {
  backend.num_runs_behind = 1000;
  backend.finishes_between_polls = true;
  auto source = batches(6);
  const PassReport report = trainer.train_epoch({.source = source, .num_samples = 24});
  BOOST_TEST(report.totals.num_counted == 24u);
  BOOST_TEST(report.totals.loss() == 1.0);  // the mean of 0, 1, 2
}

/// Evaluates between two steps, whose numbers the batches of the evaluation have, too.
struct EvaluateWithin final : PassObserver {
  Accumulated& training;
  std::vector<PassReport> evaluated;
  explicit EvaluateWithin(Accumulated& owner) : training(owner) {}
  void on_step(const PassReport&) override {}
  bool wants_settled(const PassReport&) override { return true; }
  void on_settled(const PassReport&) override {
    auto source = training.batches(3);
    evaluated.push_back(evaluate_epoch(training.programs, {.source = source, .num_samples = 12}));
  }
};

BOOST_DATA_TEST_CASE(an_evaluation_between_two_steps_and_the_training_count_their_own,
                     tests::kRunsBehind, num_runs_behind) {
  backend.num_runs_behind = num_runs_behind;
  EvaluateWithin observer(*this);
  auto source = batches(6);
  const PassReport report =
      trainer.train_epoch({.source = source, .num_samples = 24, .observer = &observer});
  BOOST_TEST(report.totals.num_counted == 24u);
  BOOST_TEST(report.totals.loss() == 1.0);
  BOOST_REQUIRE(observer.evaluated.size() == 2u);
  for (const PassReport& evaluated : observer.evaluated) {
    BOOST_TEST(evaluated.totals.num_counted == 12u);
    BOOST_TEST(evaluated.totals.loss() == 1.0);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
