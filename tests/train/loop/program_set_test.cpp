#include "train/loop/program_set.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "tests/train/loop/recording_backend.h"

namespace penstock::train {
namespace {

/// Batch norm over one value of each sample.
ModelGraph pooled_model() {
  ModelGraph graph("pooled", {3, 4, 4});
  const NodeId pooled = graph.global_avg_pool("pool", graph.input());
  graph.set_output(graph.dense("head", graph.batch_norm("bn", pooled), {.units = 2}));
  return graph;
}

BOOST_AUTO_TEST_SUITE(program_set)

BOOST_AUTO_TEST_CASE(training_follows_the_settings_and_evaluation_is_never_smoothed) {
  tests::RecordingBackend backend;
  const ProgramSet programs(backend, pooled_model(),
                            {.train_batch = 4,
                             .num_train_samples = 10,
                             .evaluation_batch = 5,
                             .optimizer = {.momentum = 0.75},
                             .loss = {.label_smoothing = 0.25, .class_weights = {1, 2}},
                             .label_form = LabelForm::kTargets});
  BOOST_REQUIRE(backend.lowerings.size() == 3u);
  for (const Lowering& lowering : backend.lowerings) {
    const bool is_training = lowering.mode == Mode::kTrain;
    BOOST_TEST(lowering.optimizer.momentum == 0.75);
    BOOST_TEST(lowering.loss.label_smoothing == (is_training ? 0.25 : 0.0));
    BOOST_TEST(lowering.loss.class_weights.size() == (is_training ? 2u : 0u));
    BOOST_TEST(
        (lowering.label_form == (is_training ? LabelForm::kTargets : LabelForm::kClassIndex)));
  }
  BOOST_TEST(programs.train_program(4).lowering().batch == 4u);
  BOOST_TEST(programs.train_program(2).lowering().batch == 2u);  // 10 = 2 x 4 + 2
  BOOST_TEST(programs.evaluation_program().lowering().batch == 5u);
  BOOST_TEST((programs.evaluation_program().lowering().mode == Mode::kEvaluate));
}

BOOST_AUTO_TEST_CASE(an_epoch_smaller_than_a_batch_is_one_step) {
  tests::RecordingBackend backend;
  const ProgramSet programs(backend, pooled_model(),
                            {.train_batch = 32, .num_train_samples = 7, .evaluation_batch = 0});
  BOOST_REQUIRE(backend.lowerings.size() == 1u);
  BOOST_TEST(programs.train_program(7).lowering().batch == 7u);
}

// The head learns from the beginning, the norm (parameters 0 and 1) from epoch 2 on.
BOOST_AUTO_TEST_CASE(each_epoch_trains_with_the_programs_of_its_stage) {
  tests::RecordingBackend backend;
  const std::vector<bool> first = {true, true, false, false, false, false};
  const std::vector<bool> later(6);
  const std::vector<bool> fixed = {false, false, true, false};
  ProgramSet programs(backend, pooled_model(),
                      {.train_batch = 4,
                       .num_train_samples = 10,
                       .evaluation_batch = 5,
                       .stages = {{.frozen_params = first, .fixed_norms = fixed},
                                  {.first_epoch = 2, .frozen_params = later}}});
  const auto check = [&](const std::vector<bool>& frozen, const std::vector<bool>& norms) {
    for (const std::uint32_t batch : {4u, 2u}) {
      const Lowering& lowering = programs.train_program(batch).lowering();
      BOOST_TEST(lowering.batch == batch);
      BOOST_TEST((lowering.frozen_params == frozen));
      BOOST_TEST((lowering.fixed_norms == norms));
    }
  };
  check(first, fixed);
  programs.begin_epoch(2);
  check(later, {});
  programs.begin_epoch(1);  // a run that is gone on with
  check(first, fixed);
  programs.begin_epoch(7);
  check(later, {});
  // What ever learns has its states there.
  BOOST_TEST((programs.any_program().lowering().frozen_params == later));
}

BOOST_AUTO_TEST_CASE(a_network_whose_head_alone_learns_takes_less_memory) {
  const auto backend = make_backend("onednn");
  ModelGraph graph("deep", {3, 32, 32});
  NodeId x = graph.input();
  for (const char* name : {"a", "b", "c"})
    x = graph.relu("", graph.conv2d(name, x, {.filters = 8}));
  graph.set_output(graph.dense("head", graph.global_avg_pool("gap", x), {.units = 2}));
  const auto arena_bytes = [&](const std::vector<bool>& frozen) {
    const ProgramSet programs(*backend, graph, {.stages = {{.frozen_params = frozen}}});
    return programs.plan().arena_bytes;
  };
  // Of six outputs of 32 x 32 x 8 x 32 float32, which a backward pass reads, two at a time remain.
  const std::vector<bool> convolutions = {true, true, true, true, true, true, false, false};
  BOOST_TEST(arena_bytes(convolutions) < arena_bytes(std::vector<bool>(8)) * 3 / 4);
}

std::string refusal_of(const ProgramSetConfig& config) {
  const auto backend = make_backend("reference");
  try {
    const ProgramSet programs(*backend, pooled_model(), config);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
    return std::string(error.what()) + " | " + error.hint();
  }
  return "accepted";
}

std::string refusal_of(std::uint32_t batch, std::uint64_t num_samples) {
  return refusal_of({.train_batch = batch, .num_train_samples = num_samples});
}

// By hand: 3,041 = 95 x 32 + 1 = 98 x 31 + 3. 7 leaves 1 for 2 and 3, and 3 for 4.
BOOST_AUTO_TEST_CASE(a_last_batch_of_one_sample_is_refused_with_a_size_that_works) {
  const std::string reason =
      "model: bn: expected at least 2 values per channel in training, found 1: the last batch of "
      "an epoch has 1 sample ";
  BOOST_TEST(refusal_of(32, 3041) ==
             reason + "(3041 = 95 x 32 + 1) | --batch-size 31, or --drop-remainder true");
  BOOST_TEST(refusal_of(31, 3041) == "accepted");
  BOOST_TEST(refusal_of(2, 7) ==
             reason + "(7 = 3 x 2 + 1) | --batch-size 4, or --drop-remainder true");
  BOOST_TEST(refusal_of(4, 7) == "accepted");
}

// A draw's counter has 24 bits for the sample (train_draws.h): the next one would draw as the first of the next step.
BOOST_AUTO_TEST_CASE(a_step_with_dropout_has_no_more_samples_than_draws_tell_apart) {
  const auto refusal = [](std::uint32_t step_samples, bool has_dropout) {
    tests::RecordingBackend backend;
    ModelGraph graph("small", {3, 4, 4});
    NodeId x = graph.global_avg_pool("pool", graph.input());
    if (has_dropout) x = graph.dropout("drop", x, 0.5);
    graph.set_output(graph.dense("head", x, {.units = 2}));
    try {
      const ProgramSet programs(backend, graph,
                                {.train_batch = step_samples,
                                 .lease_batch = 64,
                                 .num_train_samples = step_samples,
                                 .evaluation_batch = 0});
    } catch (const Error& error) {
      return std::string(error.what()) + " | " + error.hint();
    }
    return std::string("accepted");
  };
  BOOST_TEST(refusal(16'777'216, true) == "accepted");
  BOOST_TEST(refusal(16'777'217, false) == "accepted");
  BOOST_TEST(refusal(16'777'217, true) ==
             "model: drop: expected at most 16777216 samples in a step with dropout, found "
             "16777217 | a smaller --batch-size, or no dropout");
}

// By hand: 1,000 = 27 x 37 + 1. 36 cuts 74 into 24 + 25 + 25 and the 38 that are left into two of 19.
BOOST_AUTO_TEST_CASE(parts_that_leave_one_sample_are_refused_with_parts_that_work) {
  const auto in_parts = [](std::uint32_t batch, std::uint32_t lease, std::uint32_t part) {
    return refusal_of({.train_batch = batch,
                       .lease_batch = lease,
                       .micro_batch = part,
                       .num_train_samples = 1000});
  };
  BOOST_TEST(in_parts(74, 37, 37)
                 .ends_with("(1000 = 27 x 37 + 1) | --micro-batch 36, or --drop-remainder true"));
  BOOST_TEST(in_parts(74, 74, 36) == "accepted");
  BOOST_TEST(in_parts(12, 3, 3).ends_with(
      "(1000 = 333 x 3 + 1) | --micro-batch 2, or --drop-remainder true"));
  BOOST_TEST(in_parts(12, 2, 2) == "accepted");
  // An epoch that is one step would be left out whole.
  BOOST_TEST(in_parts(1000, 37, 37).ends_with("(1000 = 27 x 37 + 1) | --micro-batch 36"));
  BOOST_TEST(in_parts(32, 1, 1).ends_with(
      "found 1 | a larger --micro-batch, or no batch_norm after the last pooling layer"));
  BOOST_TEST(refusal_of(1, 1000).ends_with(
      "found 1 | a larger --batch-size, or no batch_norm after the last pooling layer"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
