// Training passes that are stopped, go on, or are pieces of a stream.
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <stop_token>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tests/train/loop/small_training.h"
#include "train/loop/trainer.h"

namespace penstock::train {
namespace {

using tests::internal_error_of;

BOOST_FIXTURE_TEST_SUITE(cut_pass, tests::SmallTraining)

class StopAfter final : public PassObserver {
 public:
  StopAfter(std::stop_source& source, std::uint64_t num_steps)
      : source_(source), num_steps_(num_steps) {}
  void on_step(const PassReport& so_far) override {
    if (so_far.num_steps == num_steps_) source_.request_stop();
  }

 private:
  std::stop_source& source_;
  std::uint64_t num_steps_;
};

BOOST_DATA_TEST_CASE(a_stop_ends_the_pass_after_the_step_under_way, tests::kRunsBehind,
                     num_runs_behind) {
  backend.num_runs_behind = num_runs_behind;
  auto batches = source({{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}});
  std::stop_source stop;
  StopAfter observer(stop, 2);
  Trainer training(programs, config);
  const PassReport report = training.train_epoch(
      {.source = batches, .num_samples = 12, .observer = &observer, .stop = stop.get_token()});
  BOOST_TEST(report.was_stopped);
  BOOST_TEST(report.num_steps == 2u);
  BOOST_TEST(report.totals.num_counted == 8u);
  BOOST_TEST(backend.calls.back().what == "release");
}

BOOST_DATA_TEST_CASE(a_pass_that_goes_on_counts_what_was_taken_before, tests::kRunsBehind,
                     num_runs_behind) {
  backend.num_runs_behind = num_runs_behind;
  Trainer training(programs, config);
  training.restore({.num_steps = 7, .peak_learning_rate = 0.5});
  PassStart start{.report = {.num_samples = 4, .num_steps = 1, .elapsed_s = 100},
                  .tally = SampleTally(8)};
  start.report.totals.weight_sum = 4;
  start.report.totals.num_counted = 4;
  const std::vector<std::uint64_t> taken = {6, 1, 3, 0};
  start.tally.add(taken);
  auto rest = source({{2, 4, 5, 7}});
  const PassReport report =
      training.train_epoch({.source = rest, .num_samples = 8, .start = &start});
  BOOST_TEST(backend.calls.back().scalars.step == 7u);
  BOOST_TEST(training.state().num_steps == 8u);
  BOOST_TEST(report.num_steps == 2u);
  BOOST_TEST(report.totals.num_counted == 8u);
  BOOST_TEST(report.is_each_once());
  BOOST_TEST(report.elapsed_s >= 100);
}

BOOST_AUTO_TEST_CASE(a_sample_that_was_taken_before_and_comes_again_is_an_internal_error) {
  Trainer training(programs, config);
  PassStart start{.report = {.num_samples = 4, .num_steps = 1}, .tally = SampleTally(8)};
  const std::vector<std::uint64_t> taken = {6, 1, 3, 0};
  start.tally.add(taken);
  auto rest = source({{2, 4, 5, 6}});
  BOOST_TEST(internal_error_of([&] {
               training.train_epoch({.source = rest, .num_samples = 8, .start = &start});
             }) == "pass: expected each of 8 samples once, found 8, 7 different");
}

/// Wants every state, and writes down which it got.
class Settled final : public PassObserver {
 public:
  std::vector<std::uint64_t> steps;
  std::vector<std::uint64_t> positions;
  void on_step(const PassReport&) override {}
  bool wants_settled(const PassReport&) override { return true; }
  void on_settled(const PassReport& so_far) override {
    steps.push_back(so_far.num_steps);
    positions.push_back(so_far.next->next_position);
    BOOST_TEST(so_far.totals.num_counted == so_far.num_samples);  // no report is missing
  }
};

BOOST_DATA_TEST_CASE(between_two_steps_the_state_is_settled_and_knows_its_place, tests::kRunsBehind,
                     num_runs_behind) {
  backend.num_runs_behind = num_runs_behind;
  auto batches = source({{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}});
  Trainer training(programs, config);
  Settled settled;
  const PassReport report =
      training.train_epoch({.source = batches, .num_samples = 12, .observer = &settled});
  BOOST_TEST(settled.steps == (std::vector<std::uint64_t>{1, 2}), boost::test_tools::per_element());
  BOOST_TEST(settled.positions == (std::vector<std::uint64_t>{4, 8}),
             boost::test_tools::per_element());
  BOOST_TEST(report.next->epoch == 1u);
  BOOST_TEST(report.next->next_position == 0u);
}

/// Passes over the data, one after the other.
class ChainedPasses final : public BatchSource {
 public:
  explicit ChainedPasses(std::vector<tests::ListedBatches> passes) : passes_(std::move(passes)) {}
  const BatchSpec& spec() const noexcept override { return passes_.front().spec(); }
  SourceStats stats() const override { return {}; }
  BatchLease next() override {
    while (current_ < passes_.size()) {
      if (BatchLease lease = passes_[current_].next()) return lease;
      ++current_;
    }
    return {};
  }

 private:
  std::vector<tests::ListedBatches> passes_;
  std::size_t current_ = 0;
};

/// Wants to be told when all is settled after step 2.
struct SettledWatch final : PassObserver {
  std::vector<std::uint64_t> settled;
  void on_step(const PassReport&) override {}
  bool wants_settled(const PassReport& so_far) override { return so_far.num_steps == 2; }
  void on_settled(const PassReport& so_far) override { settled.push_back(so_far.num_steps); }
};

// Passes of 4 and 2 samples: three steps are 4 + 2 + 4 samples, the next three 2 + 4 + 2.
BOOST_AUTO_TEST_CASE(pieces_of_a_stream_go_on_over_the_ends_of_passes) {
  const std::vector<std::vector<std::uint64_t>> ids = {{0, 1, 2, 3}, {4, 5}};
  ChainedPasses passes({source(ids), source(ids), source(ids)});
  Trainer training(programs, config);
  SampleTally tally(6);
  SettledWatch watch;
  const PassInput piece{
      .source = passes, .num_samples = 6, .observer = &watch, .num_steps = 3, .tally = &tally};
  const PassReport first = training.train_epoch(piece);
  BOOST_TEST(first.num_samples == 10u);
  BOOST_TEST(first.is_each_once());
  BOOST_TEST(tally.num_added() == 4u);
  const PassReport second = training.train_epoch(piece);
  BOOST_TEST(second.num_samples == 8u);
  BOOST_TEST(second.is_each_once());
  BOOST_TEST(training.state().num_steps == 6u);
  BOOST_TEST((watch.settled == std::vector<std::uint64_t>{2, 2}));
}

BOOST_AUTO_TEST_CASE(a_sample_seen_twice_in_a_pass_is_found_wherever_the_pass_is_cut) {
  ChainedPasses passes({source({{0, 1, 2, 3}, {3, 4}})});
  Trainer training(programs, config);
  SampleTally tally(6);
  const PassInput piece{.source = passes, .num_samples = 6, .num_steps = 1, .tally = &tally};
  training.train_epoch(piece);
  BOOST_TEST(internal_error_of([&] { training.train_epoch(piece); }) ==
             "pass: expected each of 6 samples once, found 6, 5 different");
}

BOOST_AUTO_TEST_CASE(a_stream_that_runs_dry_in_a_piece_is_an_internal_error) {
  ChainedPasses passes({source({{0, 1, 2, 3}, {4, 5}})});
  Trainer training(programs, config);
  SampleTally tally(6);
  const PassInput piece{.source = passes, .num_samples = 6, .num_steps = 3, .tally = &tally};
  BOOST_TEST(internal_error_of([&] { training.train_epoch(piece); }) ==
             "pass: expected each of 10 samples once, found 6, 6 different");
}

/// Is asked to stop while it waits for its first batch.
class StoppedBatches final : public BatchSource {
 public:
  StoppedBatches(const BatchSpec& spec, std::stop_source& stop) : spec_(spec), stop_(stop) {}
  const BatchSpec& spec() const noexcept override { return spec_; }
  SourceStats stats() const override { return {}; }
  BatchLease next() override {
    stop_.request_stop();
    throw Error(ErrorCode::kStopped, "stopped");
  }

 private:
  const BatchSpec& spec_;
  std::stop_source& stop_;
};

BOOST_AUTO_TEST_CASE(a_stop_that_reaches_the_source_first_ends_the_pass) {
  auto batches = source({{0, 1, 2, 3}});
  Trainer training(programs, config);
  std::stop_source stop;
  StoppedBatches stopped(batches.spec(), stop);
  const PassReport report =
      training.train_epoch({.source = stopped, .num_samples = 4, .stop = stop.get_token()});
  BOOST_TEST(report.was_stopped);
  BOOST_TEST(report.num_steps == 0u);
  BOOST_TEST(
      evaluate_epoch(programs, {.source = stopped, .num_samples = 4, .stop = stop.get_token()})
          .was_stopped);
  // Without a stop of its own the pass cannot say why it ended.
  BOOST_CHECK_THROW(training.train_epoch({.source = stopped, .num_samples = 4}), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
