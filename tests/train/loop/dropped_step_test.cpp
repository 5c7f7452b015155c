// Steps that are given up by an exception: the next pass goes on as if they had never begun.
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/core/error.h"
#include "tests/train/backend/training_bench.h"
#include "tests/train/loop/recording_backend.h"
#include "tests/train/loop/small_training.h"
#include "train/graph/custom_operation.h"
#include "train/loop/trainer.h"

namespace penstock::train {
namespace {

namespace data = boost::unit_test::data;

[[noreturn]] void fail() {
  throw Error(ErrorCode::kIo, "broken");
}

/// Two steps of two batches of 4 samples, in parts of 2.
constexpr std::uint32_t kBatch = 4;
constexpr std::uint64_t kNumSamples = 16;
const ProgramSetConfig kSizes = {.train_batch = 8,
                                 .lease_batch = kBatch,
                                 .micro_batch = 2,
                                 .num_train_samples = kNumSamples,
                                 .evaluation_batch = kBatch};

/// Fails the n-th time that `place` is reached; places of a backend's runs have their names.
class Failure final : public PassObserver {
 public:
  Failure(std::string_view place, int nth) : place_(place), num_left_(nth) {}
  void reach(std::string_view place) {
    if (place == place_ && num_left_-- == 1) fail();
  }
  bool has_failed() const { return num_left_ <= 0; }

  void on_step(const PassReport&) override { reach("on_step"); }
  void on_batch(const BatchView&) override { reach("on_batch"); }
  void on_part() override { reach("on_part"); }
  void on_skipped_step(const SkippedStep&) override { reach("on_skipped_step"); }

 private:
  std::string_view place_;
  int num_left_;
};

/// Batches that fail where the failure says so.
class FailingSource final : public BatchSource {
 public:
  FailingSource(BatchSource& batches, Failure& failure) : batches_(batches), failure_(failure) {}
  const BatchSpec& spec() const noexcept override { return batches_.spec(); }
  SourceStats stats() const override { return {}; }
  BatchLease next() override {
    failure_.reach("source");
    return batches_.next();
  }

 private:
  BatchSource& batches_;
  Failure& failure_;
};

/// Without arithmetic: the loss of a sample is the number of its step.
struct Recorded {
  ModelGraph graph = tests::two_class_model();
  tests::RecordingBackend backend;
  ProgramSet programs{backend, graph, kSizes};
  Trainer trainer{programs, {.schedule = {.kind = ScheduleKind::kConstant}, .num_steps = 9}};

  Recorded() { programs.bind(); }
  tests::ListedBatches batches() const {
    return {backend.input_spec(graph, kBatch),
            {{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}, {12, 13, 14, 15}}};
  }
  std::ptrdiff_t num_calls(const char* what) const {
    return std::ranges::count(backend.calls, what, &tests::RecordedCall::what);
  }
  /// Runs into the failure; every batch has gone back then.
  void fail_in_a_pass(Failure& failure) {
    backend.on_run = [&](const tests::RecordedCall& call) { failure.reach(call.what); };
    auto listed = batches();
    FailingSource source(listed, failure);
    BOOST_CHECK_THROW(
        trainer.train_epoch({.source = source, .num_samples = kNumSamples, .observer = &failure}),
        Error);
    backend.on_run = [](const tests::RecordedCall&) {};
    BOOST_TEST(listed.num_lent() == 0);
  }
  PassReport pass() {
    auto listed = batches();
    return trainer.train_epoch({.source = listed, .num_samples = kNumSamples});
  }
};

const std::vector<std::string> kPlacesInAStep = {"source",       "on_batch", "on_part", "forward",
                                                 "backward_add", "backward", "update"};

BOOST_AUTO_TEST_SUITE(dropped_step)

// The first step fails. By hand, of the pass after it: loss 0 in step 0 and 1 in step 1, of 8 samples each.
BOOST_DATA_TEST_CASE(a_pass_after_a_failure_counts_its_own_samples_only,
                     data::make(kPlacesInAStep) * data::make(tests::kRunsBehind), place,
                     num_runs_behind) {
  Recorded run;
  run.backend.num_runs_behind = num_runs_behind;
  const bool is_once_a_step = place == "backward" || place == "update";
  Failure failure(place, is_once_a_step ? 1 : 2);
  run.fail_in_a_pass(failure);
  BOOST_REQUIRE(failure.has_failed());
  BOOST_TEST(run.num_calls("drop") == 1);
  BOOST_TEST(run.backend.calls.back().what == "release");
  BOOST_TEST((run.trainer.state() == Recorded().trainer.state()));
  const PassReport report = run.pass();
  BOOST_TEST(report.num_steps == 2u);
  BOOST_TEST(report.totals.num_counted == 16u);
  BOOST_TEST(report.totals.loss() == 0.5);
  BOOST_TEST(report.is_each_once());
}

BOOST_AUTO_TEST_CASE(a_failure_before_the_first_batch_of_a_step_drops_nothing) {
  Recorded run;
  Failure failure("source", 1);
  run.fail_in_a_pass(failure);
  BOOST_TEST(run.backend.calls.empty());
}

// The observer of a step comes after it: the step stays, and what is not known of it yet is not lost.
BOOST_DATA_TEST_CASE(a_step_that_was_taken_stays_when_its_observer_fails,
                     data::make(tests::kRunsBehind), num_runs_behind) {
  Recorded run;
  run.backend.num_runs_behind = num_runs_behind;
  run.backend.infinite_step = 0;
  Failure failure("on_step", 1);
  run.fail_in_a_pass(failure);
  BOOST_TEST(run.num_calls("drop") == 0);
  BOOST_TEST(run.trainer.state().num_steps == 1u);
  BOOST_TEST(run.trainer.state().nan_guard.num_skipped == 1u);
  const PassReport report = run.pass();
  // Steps 1 and 2, of 8 samples each.
  BOOST_TEST(report.totals.num_counted == 16u);
  BOOST_TEST(report.totals.loss() == 1.5);
  BOOST_TEST(report.num_skipped_steps == 0u);
}

BOOST_DATA_TEST_CASE(a_failure_while_a_skipped_step_is_told_drops_the_one_under_way,
                     data::make(tests::kRunsBehind), num_runs_behind) {
  Recorded run;
  run.backend.num_runs_behind = num_runs_behind;
  run.backend.infinite_step = 0;
  Failure failure("on_skipped_step", 1);
  run.fail_in_a_pass(failure);
  // Told at once, in the middle of step 1, or when both were taken.
  const std::uint64_t num_taken = run.trainer.state().num_steps;
  BOOST_TEST(num_taken == (num_runs_behind == 1000 ? 2u : 1u));
  BOOST_TEST(run.num_calls("update") == num_taken);
  BOOST_TEST(run.trainer.state().nan_guard.num_skipped == 1u);
  BOOST_TEST(run.pass().totals.num_counted == 16u);
}

// The pieces' tally holds what was trained on: the batches of the dropped step come again.
BOOST_DATA_TEST_CASE(a_piece_of_a_stream_goes_on_where_its_last_step_ended,
                     data::make(tests::kRunsBehind), num_runs_behind) {
  Recorded run;
  run.backend.num_runs_behind = num_runs_behind;
  SampleTally tally(kNumSamples);
  Failure failure("on_part", 5);  // each step has three
  auto first = run.batches();
  BOOST_CHECK_THROW(run.trainer.train_epoch({.source = first,
                                             .num_samples = kNumSamples,
                                             .observer = &failure,
                                             .num_steps = 2,
                                             .tally = &tally}),
                    Error);
  BOOST_TEST(run.trainer.state().num_steps == 1u);
  BOOST_TEST(tally.num_added() == 8u);
  tests::ListedBatches rest(run.backend.input_spec(run.graph, kBatch),
                            {{8, 9, 10, 11}, {12, 13, 14, 15}});
  const PassReport report = run.trainer.train_epoch(
      {.source = rest, .num_samples = kNumSamples, .num_steps = 1, .tally = &tally});
  BOOST_TEST(report.is_each_once());
  BOOST_TEST(report.totals.num_counted == 8u);
}

BOOST_AUTO_TEST_CASE(an_evaluation_that_fails_leaves_no_batch_and_no_report) {
  for (const char* place : {"forward", "on_step", "on_batch", "source"}) {
    BOOST_TEST_CONTEXT(place) {
      Recorded run;
      run.backend.num_runs_behind = 1000;
      Failure failure(place, 2);
      run.backend.on_run = [&](const tests::RecordedCall& call) { failure.reach(call.what); };
      auto listed = run.batches();
      FailingSource source(listed, failure);
      BOOST_CHECK_THROW(
          evaluate_epoch(run.programs,
                         {.source = source, .num_samples = kNumSamples, .observer = &failure}),
          Error);
      BOOST_TEST(listed.num_lent() == 0);
      BOOST_TEST(run.num_calls("drop") == 0);
      BOOST_TEST(run.pass().totals.num_counted == 16u);
    }
  }
}

/// The identity, which fails on demand.
class FailingIdentity final : public CustomOperation {
 public:
  explicit FailingIdentity(Failure*& failure) : failure_(failure) {}
  std::string name() const override { return "failing_identity"; }
  TensorShape output_shape(std::span<const TensorShape> inputs) const override { return inputs[0]; }
  std::uint64_t forward_flops(std::span<const TensorShape>) const override { return 1; }
  void forward(const CustomTensors& tensors, float* output) const override {
    if (failure_ != nullptr) failure_->reach("operation");
    std::copy_n(tensors.inputs[0], size_of(tensors), output);
  }
  void backward(const CustomTensors& tensors, const float* output_gradient,
                std::span<float* const> input_gradients, std::span<float* const>) const override {
    if (input_gradients[0] == nullptr) return;
    for (std::size_t i = 0; i < size_of(tensors); ++i) input_gradients[0][i] += output_gradient[i];
  }

 private:
  static std::size_t size_of(const CustomTensors& tensors) {
    return tensors.batch * tensors.input_shapes[0].num_elements();
  }
  Failure*& failure_;
};

/// Four batches, over and over.
class ToyBatches final : public BatchSource {
 public:
  explicit ToyBatches(const BatchSpec& spec) : spec_(spec) {
    for (std::uint64_t i = 0; i < kNumSamples / kBatch; ++i) {
      batches_.emplace_back(spec, 2, static_cast<unsigned>(i));
      for (std::uint64_t n = 0; n < kBatch; ++n) ids_.push_back(i * kBatch + n);
    }
  }
  const BatchSpec& spec() const noexcept override { return spec_; }
  SourceStats stats() const override { return {}; }
  BatchLease next() override {
    const std::size_t idx = next_++;
    toy_ = batches_[idx].lease();
    BatchView view = toy_.view();
    view.sample_ids = std::span(ids_).subspan(idx * kBatch, kBatch);
    view.ends_epoch = next_ == batches_.size();
    ++owner_->num_lent;
    return {view, owner_, 0};
  }
  void rewind() { next_ = 0; }
  int num_lent() const { return owner_->num_lent; }
  std::vector<ToyBatch>& batches() { return batches_; }

 private:
  struct Owner final : LeaseOwner {
    int num_lent = 0;
    void give_back(std::uint32_t) noexcept override { --num_lent; }
  };
  BatchSpec spec_;
  std::vector<ToyBatch> batches_;
  std::vector<std::uint64_t> ids_;
  std::shared_ptr<Owner> owner_ = std::make_shared<Owner>();
  BatchLease toy_;
  std::size_t next_ = 0;
};

/// A training with running statistics on a backend that computes.
struct Computed {
  Failure* failure = nullptr;
  ModelGraph graph{"normed", {.channels = 3, .height = 4, .width = 4}};
  std::unique_ptr<Backend> backend;
  std::optional<ProgramSet> programs;
  std::optional<Trainer> trainer;
  std::optional<ToyBatches> batches;

  explicit Computed(std::string_view backend_name)
      : backend(make_backend(backend_name, {.num_threads = 1})) {
    const NodeId inputs[] = {graph.batch_norm("norm", graph.input())};
    const NodeId same =
        graph.custom("identity", inputs, std::make_shared<FailingIdentity>(failure));
    graph.set_output(graph.dense("head", graph.global_avg_pool("pool", same), {.units = 2}));
    programs.emplace(*backend, graph, kSizes);
    programs->bind();
    initialize_params(programs->any_program(), graph, 1);
    trainer.emplace(*programs, TrainerConfig{.optimizer = {.learning_rate = 0.1},
                                             .schedule = {.kind = ScheduleKind::kConstant},
                                             .num_steps = 9});
    batches.emplace(backend->input_spec(graph, kBatch));
  }
  PassReport pass() {
    batches->rewind();
    return trainer->train_epoch({.source = *batches, .num_samples = kNumSamples});
  }
  /// Weights and running statistics.
  std::vector<std::vector<float>> params() {
    std::vector<std::vector<float>> values;
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      values.emplace_back(graph.parameters()[i].num_elements());
      programs->any_program().export_param(i, ParamPart::kMaster, values.back());
    }
    return values;
  }
};

const std::vector<std::string> kBackends = {"reference", "onednn"};

// The operation of a user fails in the very first forward run, too, whose batch norm came before it.
BOOST_DATA_TEST_CASE(a_training_goes_on_after_a_failure_as_if_the_step_had_never_begun,
                     data::make(kBackends) *
                         data::make(std::vector<std::string>{"operation", "source", "on_part"}) *
                         data::make({1, 2}),
                     backend, place, nth) {
  Computed undisturbed(backend);
  const auto at_first = undisturbed.params();
  const PassReport expected = undisturbed.pass();
  Computed run(backend);
  Failure failure(place, nth);
  run.failure = &failure;
  FailingSource source(*run.batches, failure);
  BOOST_CHECK_THROW(run.trainer->train_epoch(
                        {.source = source, .num_samples = kNumSamples, .observer = &failure}),
                    Error);
  BOOST_REQUIRE(failure.has_failed());
  BOOST_TEST(run.batches->num_lent() == 0);
  BOOST_TEST((run.params() == at_first));
  const PassReport report = run.pass();
  BOOST_TEST(report.totals.loss() == expected.totals.loss());
  BOOST_TEST(report.totals.num_counted == expected.totals.num_counted);
  BOOST_TEST((run.params() == undisturbed.params()));
}

BOOST_DATA_TEST_CASE(a_batch_that_is_refused_goes_back_to_its_source, data::make(kBackends),
                     backend) {
  Computed run(backend);
  run.batches->batches()[0].set_targets(soft_targets(kBatch, 2, 1));  // another form of labels
  BOOST_CHECK_THROW(run.pass(), Error);
  BOOST_TEST(run.batches->num_lent() == 0);
  run.batches->rewind();
  BOOST_CHECK_THROW(
      evaluate_epoch(*run.programs, {.source = *run.batches, .num_samples = kNumSamples}), Error);
  BOOST_TEST(run.batches->num_lent() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
