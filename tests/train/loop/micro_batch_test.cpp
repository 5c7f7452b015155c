// Steps that are computed in parts, and steps that take several batches, against steps in one piece.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/core/error.h"
#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/training_bench.h"
#include "tests/train/loop/recording_backend.h"
#include "train/loop/trainer.h"

namespace penstock::train {
namespace {

constexpr std::uint32_t kNumSamples = 22;

/// The same samples every epoch, in batches of a size that a test chooses. A place of the last one that is
/// padding holds nonsense: nobody may read it.
class SampleBatches final : public BatchSource {
 public:
  SampleBatches(const BatchSpec& spec, std::uint32_t num_classes, bool has_targets)
      : spec_(spec), all_(whole_spec(spec), num_classes, 7) {
    // Failed, unlabelled and lighter samples, not spread evenly over the batches.
    all_.weights()[2] = 0;
    all_.weights()[3] = 0.25f;
    all_.weights()[19] = 2.5f;
    all_.labels()[5] = kUnlabelled;
    num_classes_ = num_classes;
    if (has_targets) targets_ = soft_targets(kNumSamples, num_classes, 9);
    if (has_targets) spec_.label_form = LabelForm::kTargets;
    if (has_targets) spec_.num_targets = num_classes;
  }

  const BatchSpec& spec() const noexcept override { return spec_; }
  SourceStats stats() const override { return {}; }
  BatchLease next() override {
    const std::uint32_t first = next_;
    const std::uint32_t num_valid = std::min(spec_.batch, kNumSamples - first);
    next_ = first + num_valid == kNumSamples ? 0 : first + num_valid;
    const auto filled = [&](const auto& values, std::size_t each, auto padding) {
      std::vector<std::decay_t<decltype(padding)>> part(spec_.batch * each, padding);
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(first * each), num_valid * each,
                  part.begin());
      return part;
    };
    pixels_ = filled(all_.values(), all_.values().size() / kNumSamples, NAN);
    labels_ = filled(all_.labels(), 1, kUnlabelled);
    weights_ = filled(all_.weights(), 1, 0.0f);
    if (!targets_.empty()) part_targets_ = filled(targets_, num_classes_, 0.0f);
    ids_.clear();
    for (std::uint32_t i = 0; i < num_valid; ++i) ids_.push_back(first + i);
    BatchView view;
    view.spec = &spec_;
    view.pixels = reinterpret_cast<const std::byte*>(pixels_.data());
    view.class_idx = labels_;
    view.weights = weights_;
    view.targets = part_targets_;
    view.sample_ids = ids_;
    view.num_valid = num_valid;
    view.ends_epoch = next_ == 0;
    return {view, std::make_shared<NoOwner>(), 0};
  }

 private:
  struct NoOwner final : LeaseOwner {
    void give_back(std::uint32_t) noexcept override {}
  };
  static BatchSpec whole_spec(BatchSpec spec) {
    spec.batch = kNumSamples;
    return spec;
  }

  BatchSpec spec_;
  ToyBatch all_;
  std::uint32_t num_classes_ = 0;
  std::vector<float> targets_;
  std::uint32_t next_ = 0;
  std::vector<float> pixels_;
  std::vector<std::uint32_t> labels_;
  std::vector<float> weights_;
  std::vector<float> part_targets_;
  std::vector<std::uint64_t> ids_;
};

struct Trained {
  PassReport report;
  std::vector<std::vector<float>> weights;
};

/// Two epochs in steps of `sizes`.
Trained train(std::string_view backend_name, const ModelGraph& graph, ProgramSetConfig sizes) {
  const bool has_targets = sizes.label_form == LabelForm::kTargets;
  const auto backend = make_backend(backend_name, {.num_threads = 2});
  sizes.num_train_samples = kNumSamples;
  sizes.evaluation_batch = 0;
  ProgramSet programs(*backend, graph, sizes);
  programs.bind();
  initialize_params(programs.any_program(), graph, 3);
  const std::uint32_t lease = sizes.lease_batch == 0 ? sizes.train_batch : sizes.lease_batch;
  SampleBatches source(backend->input_spec(graph, lease), graph.num_classes(), has_targets);
  Trainer trainer(programs, {.optimizer = sizes.optimizer,
                             .schedule = {.kind = ScheduleKind::kConstant},
                             .seed = 5,
                             .num_steps = 100});
  Trained trained;
  for (int epoch = 0; epoch < 2; ++epoch) {
    trained.report = trainer.train_epoch({.source = source, .num_samples = kNumSamples});
  }
  for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
    std::vector<float>& values = trained.weights.emplace_back(graph.parameters()[i].num_elements());
    programs.any_program().export_param(i, ParamPart::kMaster, values);
  }
  return trained;
}

ProgramSetConfig in_one_piece(std::uint32_t train_batch, const ModelGraph& graph) {
  ProgramSetConfig sizes{.train_batch = train_batch};
  sizes.optimizer = {.learning_rate = 0.05, .momentum = 0.9, .clip_norm = 0.5};
  sizes.loss.label_smoothing = 0.1;
  for (std::uint32_t k = 0; k < graph.num_classes(); ++k) {
    sizes.loss.class_weights.push_back(1.0f + 0.5f * static_cast<float>(k));
  }
  return sizes;
}

/// Weights below 2 have 24 bits; sums in another order differ by rounding, here over four steps or fewer.
void check_same(const Trained& found, const Trained& expected) {
  BOOST_TEST(found.report.num_steps == expected.report.num_steps);
  BOOST_TEST(found.report.totals.num_counted == expected.report.totals.num_counted);
  BOOST_TEST(found.report.totals.weight_sum == expected.report.totals.weight_sum,
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(found.report.totals.loss() == expected.report.totals.loss(),
             boost::test_tools::tolerance(1e-5));
  for (std::size_t i = 0; i < expected.weights.size(); ++i) {
    double largest = 0;
    for (std::size_t k = 0; k < expected.weights[i].size(); ++k) {
      largest = std::max(largest, std::abs(static_cast<double>(found.weights[i][k]) -
                                           static_cast<double>(expected.weights[i][k])));
    }
    BOOST_TEST(largest < 5e-6, "parameter " << i << " differs by " << largest);
  }
}

/// Values and whole samples are dropped, by their place in the step.
ModelGraph dropping_samples_model() {
  ModelGraph graph("dropping_samples", {3, 6, 5});
  NodeId x = graph.conv2d("conv", graph.input(), {.filters = 5});
  x = graph.dropout("drop1", graph.relu("relu", x), 0.3);
  x = graph.dense("hidden", graph.flatten("flat", x), {.units = 6});
  graph.set_output(graph.dense("head", graph.dropout("drop2", x, 0.4), {.units = 3}));
  return graph;
}

void for_each_case(const auto& check) {
  for (const std::string_view backend : backend_names()) {
    // Without batch norm.
    for (const ModelGraph& graph :
         {strided_model(), mobile_model(), normed_samples_model(), dropping_samples_model()}) {
      for (const LabelForm form : {LabelForm::kClassIndex, LabelForm::kTargets}) {
        BOOST_TEST_CONTEXT(backend << ", " << graph.name() << ", targets "
                                   << (form == LabelForm::kTargets)) {
          check(backend, graph, form);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE(micro_batch)

// Steps of 8, 8 and 6 samples in parts of 2 and 3.
BOOST_AUTO_TEST_CASE(steps_in_parts_give_the_weights_of_steps_in_one_piece) {
  for_each_case([](std::string_view backend, const ModelGraph& graph, LabelForm form) {
    ProgramSetConfig sizes = in_one_piece(8, graph);
    sizes.label_form = form;
    const Trained expected = train(backend, graph, sizes);
    sizes.micro_batch = 3;
    check_same(train(backend, graph, sizes), expected);
  });
}

// Steps of 8, 8 and 6 samples from batches of 4, the last of which has 2.
BOOST_AUTO_TEST_CASE(steps_over_several_batches_give_the_weights_of_steps_in_one_piece) {
  for_each_case([](std::string_view backend, const ModelGraph& graph, LabelForm form) {
    ProgramSetConfig sizes = in_one_piece(8, graph);
    sizes.label_form = form;
    const Trained expected = train(backend, graph, sizes);
    sizes.lease_batch = 4;
    check_same(train(backend, graph, sizes), expected);
    sizes.micro_batch = 3;
    check_same(train(backend, graph, sizes), expected);
  });
}

BOOST_AUTO_TEST_CASE(a_whole_epoch_is_one_step) {
  for_each_case([](std::string_view backend, const ModelGraph& graph, LabelForm form) {
    ProgramSetConfig sizes = in_one_piece(kNumSamples, graph);
    sizes.label_form = form;
    const Trained expected = train(backend, graph, sizes);
    BOOST_TEST(expected.report.num_steps == 1u);
    sizes.lease_batch = 5;  // 22 = 4 x 5 + 2
    check_same(train(backend, graph, sizes), expected);
  });
}

/// A network whose step does not matter, on a backend that writes down what it is asked for.
struct Recorded {
  ModelGraph graph{"tiny", {.channels = 3, .height = 1, .width = 1}};
  tests::RecordingBackend backend;

  Recorded() {
    graph.set_output(graph.dense("head", graph.flatten("flat", graph.input()), {.units = 2}));
  }
  /// "forward 2 from 0" and so on.
  std::vector<std::string> calls_of(const ProgramSetConfig& sizes,
                                    std::vector<std::vector<std::uint64_t>> batches,
                                    std::uint64_t num_samples) {
    ProgramSet programs(backend, graph, sizes);
    programs.bind();
    tests::ListedBatches source(backend.input_spec(graph, sizes.lease_batch), std::move(batches));
    Trainer trainer(
        programs, {.optimizer = {}, .schedule = {.kind = ScheduleKind::kConstant}, .num_steps = 9});
    trainer.train_epoch({.source = source, .num_samples = num_samples});
    std::vector<std::string> calls;
    for (const tests::RecordedCall& call : backend.calls) {
      std::string text = call.what;
      if (call.batch > 0 && call.what != "update") {
        text += " " + std::to_string(call.batch) + " from " +
                std::to_string(call.scalars.num_samples_before) + "+" +
                std::to_string(call.scalars.first_sample);
      }
      calls.push_back(text);
    }
    return calls;
  }
};

BOOST_FIXTURE_TEST_CASE(a_step_over_two_batches_updates_once_after_the_last_part, Recorded) {
  const auto calls = calls_of({.train_batch = 8,
                               .lease_batch = 4,
                               .micro_batch = 2,
                               .num_train_samples = 10,
                               .evaluation_batch = 0},
                              {{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9}}, 10);
  const std::vector<std::string> expected = {"upload",
                                             "forward 2 from 0+0",
                                             "backward 2 from 0+0",
                                             "forward 2 from 0+2",
                                             "backward_add 2 from 0+2",
                                             "upload",
                                             "forward 2 from 4+0",
                                             "backward_add 2 from 4+0",
                                             "forward 2 from 4+2",
                                             "backward_add 2 from 4+2",
                                             "update",
                                             "release",
                                             "upload",
                                             "forward 2 from 0+0",
                                             "backward 2 from 0+0",
                                             "update",
                                             "release"};
  BOOST_TEST(calls == expected, boost::test_tools::per_element());
  // Every sample weighs 1: the sums are divided by 8, and those of the last step, of 2 samples, put right.
  for (const tests::RecordedCall& call : backend.calls) {
    if (call.what == "forward") BOOST_TEST(call.scalars.inv_weight_sum == 0.125f);
    if (call.what != "update") continue;
    BOOST_TEST(call.scalars.gradient_scale == (call.scalars.step == 0 ? 1.0 : 4.0));
  }
}

class StopAtOnce final : public BatchSource {
 public:
  StopAtOnce(tests::ListedBatches batches, std::stop_source& stop)
      : batches_(std::move(batches)), stop_(stop) {}
  const BatchSpec& spec() const noexcept override { return batches_.spec(); }
  SourceStats stats() const override { return {}; }
  BatchLease next() override {
    stop_.request_stop();
    return batches_.next();
  }

 private:
  tests::ListedBatches batches_;
  std::stop_source& stop_;
};

BOOST_FIXTURE_TEST_CASE(a_stop_in_the_middle_of_a_step_drops_it, Recorded) {
  ProgramSet programs(backend, graph, {.train_batch = 8, .lease_batch = 4, .evaluation_batch = 0});
  programs.bind();
  std::stop_source stop;
  StopAtOnce source({backend.input_spec(graph, 4), {{0, 1, 2, 3}, {4, 5, 6, 7}}}, stop);
  Trainer trainer(programs,
                  {.optimizer = {}, .schedule = {.kind = ScheduleKind::kConstant}, .num_steps = 9});
  const PassReport report =
      trainer.train_epoch({.source = source, .num_samples = 8, .stop = stop.get_token()});
  BOOST_TEST(report.was_stopped);
  BOOST_TEST(report.num_steps == 0u);
  BOOST_TEST(report.num_samples == 0u);  // they come again
  BOOST_TEST(backend.calls[backend.calls.size() - 2].what == "drop");
  BOOST_TEST(backend.calls.back().what == "release");
  BOOST_TEST(std::ranges::count(backend.calls, "update", &tests::RecordedCall::what) == 0);
}

/// Asks for a stop in the part of that number.
struct StopInPart final : PassObserver {
  std::stop_source stop;
  int num_before = 0;
  explicit StopInPart(int number) : num_before(number) {}
  void on_step(const PassReport&) override {}
  void on_part() override {
    if (num_before-- == 1) stop.request_stop();
  }
};

struct FailInPart final : PassObserver {
  void on_step(const PassReport&) override {}
  void on_part() override { throw Error(ErrorCode::kIo, "broken"); }
};

BOOST_FIXTURE_TEST_CASE(a_failure_in_the_middle_of_a_step_drops_it, Recorded) {
  ProgramSet programs(backend, graph, {.train_batch = 8, .micro_batch = 4, .evaluation_batch = 0});
  programs.bind();
  FailInPart observer;
  tests::ListedBatches source(backend.input_spec(graph, 8), {{0, 1, 2, 3, 4, 5, 6, 7}});
  Trainer trainer(programs,
                  {.optimizer = {}, .schedule = {.kind = ScheduleKind::kConstant}, .num_steps = 9});
  BOOST_CHECK_THROW(
      trainer.train_epoch({.source = source, .num_samples = 8, .observer = &observer}), Error);
  BOOST_TEST(backend.calls[backend.calls.size() - 2].what == "drop");
  BOOST_TEST(trainer.state().num_steps == 0u);
}

// Two steps of one batch each, in four parts of two samples: a part is told but the last of a step.
BOOST_FIXTURE_TEST_CASE(a_stop_between_two_parts_of_a_batch_drops_its_step_and_no_other, Recorded) {
  ProgramSet programs(backend, graph, {.train_batch = 8, .micro_batch = 2, .evaluation_batch = 0});
  programs.bind();
  StopInPart observer(5);
  tests::ListedBatches source(backend.input_spec(graph, 8),
                              {{0, 1, 2, 3, 4, 5, 6, 7}, {8, 9, 10, 11, 12, 13, 14, 15}});
  Trainer trainer(programs,
                  {.optimizer = {}, .schedule = {.kind = ScheduleKind::kConstant}, .num_steps = 9});
  const PassReport report = trainer.train_epoch({.source = source,
                                                 .num_samples = 16,
                                                 .observer = &observer,
                                                 .stop = observer.stop.get_token()});
  BOOST_TEST(report.was_stopped);
  BOOST_TEST(report.num_steps == 1u);
  BOOST_TEST(report.num_samples == 8u);
  BOOST_TEST(report.num_distinct == 8u);
  BOOST_TEST(trainer.state().num_steps == 1u);
  const auto count = [&](const char* what) {
    return std::ranges::count(backend.calls, what, &tests::RecordedCall::what);
  };
  BOOST_TEST(count("forward") == 6);  // four of the first step, two of the second
  BOOST_TEST(count("update") == 1);
  BOOST_TEST(count("drop") == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
