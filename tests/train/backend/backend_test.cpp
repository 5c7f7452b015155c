#include "train/backend/backend.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/training_bench.h"
#include "train/optim/sgd_rule.h"

namespace penstock::train {
namespace {

ModelGraph linear_model() {
  ModelGraph graph("linear", {2, 1, 1});
  graph.set_output(graph.dense("head", graph.input(), {.units = 4}));
  return graph;
}

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// Runs `check(name)` for every backend of this build.
void for_each_backend(const auto& check) {
  for (const std::string_view name : backend_names()) {
    BOOST_TEST_CONTEXT("backend " << name) {
      check(name);
    }
  }
}

Bench make_bench(std::string_view name, const ModelGraph& graph, std::vector<Lowering> lowerings) {
  return {make_backend(name, {.num_threads = 2}), graph, std::move(lowerings)};
}

BOOST_AUTO_TEST_SUITE(backend)

// By hand from torch.optim.SGD's documented algorithm: w = 1, g = 0.5, lr 0.1, momentum 0.9,
// weight decay 0.01.
BOOST_AUTO_TEST_CASE(sgd_rule_follows_pytorch) {
  const auto after_two = [](bool nesterov) {
    double weight = 1;
    double buffer = 0;
    const SgdStep<double> step{0.1, 0.9, 0.01, nesterov};
    sgd_rule(weight, buffer, 0.5, step);
    sgd_rule(weight, buffer, 0.5, step);
    return weight;
  };
  BOOST_TEST(after_two(true) == 0.76507411, boost::test_tools::tolerance(1e-12));
  // 1 - 0.051 = 0.949; decayed 0.50949, buffer 0.96849.
  BOOST_TEST(after_two(false) == 0.852151, boost::test_tools::tolerance(1e-12));
}

// By hand, from torch.optim.SGD's documented algorithm. Nothing counts in the loss, so the gradient
// is the decay alone: w = 1, lr 0.1, momentum 0.9, decay 0.5.
//   plain     g 0.5,    buffer 0.5,    w 0.95;   g 0.475,  buffer 0.925,  w 0.8575
//   nesterov  g 0.5,    buffer 0.5,    w 0.905;  g 0.4525, buffer 0.9025, w 0.778525
BOOST_AUTO_TEST_CASE(two_updates_with_and_without_nesterov_come_to_the_values_by_hand) {
  for_each_backend([](std::string_view name) {
    for (const bool nesterov : {false, true}) {
      Bench bench =
          make_bench(name, linear_model(),
                     {{.batch = 3,
                       .optimizer = {.momentum = 0.9, .nesterov = nesterov, .weight_decay = 0.5}}});
      bench.program().import_param(0, ParamPart::kMaster, std::vector<float>(8, 1.0f));
      const ToyBatch batch = bench.batch(3, 1);
      for (int step = 0; step < 2; ++step) {
        bench.backend().upload(batch.lease(), 0);
        bench.backend().set_scalars({.learning_rate = 0.1, .inv_weight_sum = 0}, 0);
        for (const Phase phase : {Phase::kForward, Phase::kBackward, Phase::kUpdate}) {
          bench.program().run(phase, 0);
        }
      }
      const double expected = nesterov ? 0.778525 : 0.8575;
      for (const float weight : bench.read(0)) {
        BOOST_TEST(weight == expected, boost::test_tools::tolerance(1e-6));
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(update_follows_the_rule_and_spares_biases_from_decay) {
  for_each_backend([](std::string_view name) {
    Bench bench = make_bench(name, linear_model(),
                             {{.batch = 3, .optimizer = {.momentum = 0.9, .weight_decay = 0.5}}});
    const std::vector<float> weight = bench.read(0);
    bench.program().import_param(1, ParamPart::kMaster, std::vector<float>{1, 2, 3, 4});
    const StepScalars scalars{.learning_rate = 0.1};
    bench.forward_and_backward(bench.batch(3, 1), scalars);
    const std::vector<float> weight_grad = bench.read(0, ParamPart::kGrad);
    const std::vector<float> bias_grad = bench.read(1, ParamPart::kGrad);
    bench.update();
    const std::vector<float> moved = bench.read(0);
    const std::vector<float> moved_bias = bench.read(1);
    for (std::size_t i = 0; i < weight.size(); ++i) {
      const double decayed = weight_grad[i] + 0.5 * weight[i];
      BOOST_TEST(moved[i] == weight[i] - 0.1 * 1.9 * decayed, boost::test_tools::tolerance(1e-5));
    }
    for (std::size_t i = 0; i < 4; ++i) {
      BOOST_TEST(moved_bias[i] == static_cast<double>(i + 1) - 0.19 * bias_grad[i],
                 boost::test_tools::tolerance(1e-5));
    }
    BOOST_TEST(bench.read(1, ParamPart::kState) == bias_grad, boost::test_tools::per_element());
  });
}

// With equal logits every class has probability 1/4, and the loss is ln 4 whatever the smoothing.
BOOST_AUTO_TEST_CASE(loss_of_equal_logits_is_the_logarithm_of_the_classes) {
  for_each_backend([](std::string_view name) {
    Bench bench =
        make_bench(name, linear_model(), {{.batch = 4, .loss = {.label_smoothing = 0.3}}});
    bench.program().import_param(0, ParamPart::kMaster, std::vector<float>(8));
    ToyBatch batch = bench.batch(4, 1);
    batch.weights() = {1.0f, 0.5f, 0.0f, 1.0f};
    batch.labels() = {0, 1, 0, kUnlabelled};
    const StepReport report = bench.forward(bench.program(), batch, {.step = 12});
    BOOST_TEST(report.weighted_loss_sum == 1.5 * std::log(4.0), boost::test_tools::tolerance(1e-6));
    BOOST_TEST(report.weight_sum == 1.5);
    BOOST_TEST(report.num_counted == 2u);
    BOOST_TEST(report.num_correct == 1u);  // ties go to the first class
    BOOST_TEST(report.step == 12u);
    BOOST_TEST(report.is_finite);
  });
}

/// Logits ln 1, ln 2, ln 3, ln 4 for every sample: probabilities 0.1, 0.2, 0.3, 0.4.
void set_logits_by_bias(Bench& bench) {
  bench.program().import_param(0, ParamPart::kMaster, std::vector<float>(8));
  std::vector<float> bias;
  for (const double odds : {1, 2, 3, 4}) bias.push_back(static_cast<float>(std::log(odds)));
  bench.program().import_param(1, ParamPart::kMaster, bias);
}

// By hand, with PyTorch's formula: with smoothing 0.2 a target t becomes 0.8 t + 0.05, the loss is
// -sum t log p, and the gradient by the logits p sum(t) - t. The bias' gradient is their mean by weight.
BOOST_AUTO_TEST_CASE(loss_and_gradient_of_soft_targets_come_to_the_values_by_hand) {
  struct Case {
    double smoothing;
    std::vector<float> target;
    std::vector<double> smoothed;
    std::vector<double> gradient;
  };
  const std::vector<Case> cases = {
      {0, {0.25f, 0, 0.75f, 0}, {0.25, 0, 0.75, 0}, {-0.15, 0.2, -0.45, 0.4}},
      {0.2, {0.25f, 0, 0.75f, 0}, {0.25, 0.05, 0.65, 0.05}, {-0.15, 0.15, -0.35, 0.35}},
      // Targets that do not sum up to 1: half of one, and smoothed 0.6.
      {0, {0.5f, 0, 0, 0}, {0.5, 0, 0, 0}, {-0.45, 0.1, 0.15, 0.2}},
      {0.2, {0.5f, 0, 0, 0}, {0.45, 0.05, 0.05, 0.05}, {-0.39, 0.07, 0.13, 0.19}}};
  for_each_backend([&](std::string_view name) {
    for (const Case& c : cases) {
      Bench bench = make_bench(name, linear_model(),
                               {{.batch = 1,
                                 .loss = {.label_smoothing = c.smoothing},
                                 .label_form = LabelForm::kTargets}});
      set_logits_by_bias(bench);
      ToyBatch batch = bench.batch(1, 1);
      batch.weights() = {2.0f};
      batch.set_targets(c.target);
      const StepReport report = bench.forward_and_backward(batch, {});
      double loss = 0;
      for (std::size_t k = 0; k < 4; ++k) {
        loss -= c.smoothed[k] * std::log(0.1 * static_cast<double>(k + 1));
      }
      BOOST_TEST(report.weighted_loss_sum == 2 * loss, boost::test_tools::tolerance(1e-6));
      BOOST_TEST(report.weight_sum == 2.0);
      const std::vector<float> found = bench.read(1, ParamPart::kGrad);
      for (std::size_t k = 0; k < 4; ++k) {
        BOOST_TEST(std::abs(static_cast<double>(found[k]) - c.gradient[k]) < 1e-6,
                   "class " << k << ": " << found[k] << ", expected " << c.gradient[k]);
      }
    }
  });
}

// The highest score is class 3's. Sample 0 and 1: its largest target is class 3's, whatever the label;
// sample 2: class 2's; sample 3: tied, so the first, class 0; the rest does not count.
BOOST_AUTO_TEST_CASE(a_score_is_correct_on_the_class_of_the_largest_target) {
  for_each_backend([](std::string_view name) {
    Bench bench =
        make_bench(name, linear_model(), {{.batch = 6, .label_form = LabelForm::kTargets}});
    set_logits_by_bias(bench);
    ToyBatch batch = bench.batch(6, 1);
    batch.labels() = {3, 0, 2, 0, kUnlabelled, 3};
    batch.weights() = {1, 1, 1, 1, 1, 0};
    batch.set_targets({0,    0, 0.4f, 0.6f, 0.4f, 0, 0, 0.6f, 0, 0, 0.6f, 0.4f,
                       0.5f, 0, 0,    0.5f, 0,    0, 0, 0,    0, 0, 0,    1});
    const StepReport report = bench.forward(bench.program(), batch);
    BOOST_TEST(report.num_counted == 4u);
    BOOST_TEST(report.num_correct == 2u);
  });
}

BOOST_AUTO_TEST_CASE(one_hot_targets_give_the_bits_of_labels) {
  for_each_backend([](std::string_view name) {
    const auto gradients = [&](LabelForm label_form) {
      Bench bench =
          make_bench(name, normalized_model(),
                     {{.batch = 5, .loss = {.label_smoothing = 0.1}, .label_form = label_form}});
      ToyBatch batch = bench.batch(5, 3);
      batch.weights()[1] = 0.5f;
      batch.labels()[2] = kUnlabelled;
      const std::uint32_t num_classes = bench.graph().num_classes();
      if (label_form == LabelForm::kTargets) {
        std::vector<float> targets(5 * num_classes);
        for (std::size_t n = 0; n < 5; ++n) {
          if (n != 2) targets[n * num_classes + batch.labels()[n]] = 1;
        }
        batch.set_targets(targets);
      }
      const StepReport report = bench.forward_and_backward(batch, {});
      std::vector<double> all = {report.weighted_loss_sum, report.weight_sum,
                                 static_cast<double>(report.num_correct)};
      for (std::size_t i = 0; i < bench.graph().parameters().size(); ++i) {
        if (!bench.graph().parameters()[i].is_trainable) continue;
        for (const float value : bench.read(i, ParamPart::kGrad)) all.push_back(value);
      }
      return all;
    };
    BOOST_TEST(gradients(LabelForm::kTargets) == gradients(LabelForm::kClassIndex),
               boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(batches_with_the_other_form_of_labels_or_targets_without_sense_are_refused) {
  for_each_backend([](std::string_view name) {
    Bench hard = make_bench(name, linear_model(), {{.batch = 1}});
    Bench soft =
        make_bench(name, linear_model(), {{.batch = 1, .label_form = LabelForm::kTargets}});
    ToyBatch batch = soft.batch(1, 1);
    BOOST_TEST(message_of([&] { soft.forward(soft.program(), batch); })
                   .ends_with("float32, 4 targets a sample, found 1 x 2 x 1 x 1 " +
                              std::string(name == "onednn" ? "nhwc" : "nchw") + " float32"));
    batch.set_targets({0, 0, 1, 0});
    BOOST_CHECK_NO_THROW(soft.forward(soft.program(), batch));
    BOOST_TEST(message_of([&] {
                 hard.forward(hard.program(), batch);
               }).ends_with("float32, 4 targets a sample"));
    for (const float wrong : {-0.5f, NAN, INFINITY}) {
      batch.set_targets({0, wrong, 1, 0});
      BOOST_TEST(message_of([&] {
                   soft.forward(soft.program(), batch);
                 }).starts_with("program: batch: expected targets that are numbers from 0 on, "));
    }
    batch.set_targets({0, 0, 1});
    BOOST_TEST(
        message_of([&] { soft.forward(soft.program(), batch); }).ends_with("3 targets a sample"));
  });
}

BOOST_AUTO_TEST_CASE(samples_that_do_not_count_leave_no_gradient) {
  for_each_backend([](std::string_view name) {
    const auto gradients = [&](std::uint32_t label, float pixel) {
      Bench bench = make_bench(name, linear_model(), {{.batch = 4}});
      ToyBatch batch = bench.batch(4, 1);
      batch.weights()[1] = 0;
      batch.labels()[1] = label;
      batch.labels()[2] = kUnlabelled;
      batch.values()[batch.place(1, 0, 0)] = pixel;
      batch.values()[batch.place(2, 1, 0)] = pixel;
      bench.forward_and_backward(batch, {});
      return bench.read(0, ParamPart::kGrad);
    };
    BOOST_TEST(gradients(0, 1.0f) == gradients(3, -7.0f), boost::test_tools::per_element());
  });
}

// PyTorch, BatchNorm2d: running = 0.9 running + 0.1 batch, with the variance over n - 1.
BOOST_AUTO_TEST_CASE(running_statistics_take_the_unbiased_variance) {
  for_each_backend([](std::string_view name) {
    Bench bench = make_bench(name, dropping_model(), {{.batch = 2}});
    ToyBatch batch = bench.batch(2, 1);
    for (std::size_t i = 0; i < 30; ++i) batch.values()[batch.place(0, 1, i)] += 1000.0f;
    for (std::size_t i = 0; i < 30; ++i) batch.values()[batch.place(1, 1, i)] += 1000.0f;
    bench.forward(bench.program(), batch);
    for (std::size_t c = 0; c < 3; ++c) {
      double mean = 0;
      double squares = 0;
      for (std::size_t k = 0; k < 60; ++k) {
        mean += static_cast<double>(batch.values()[batch.place(k / 30, c, k % 30)]) / 60;
      }
      for (std::size_t k = 0; k < 60; ++k) {
        const double d = batch.values()[batch.place(k / 30, c, k % 30)] - mean;
        squares += d * d;
      }
      BOOST_TEST(bench.read(2)[c] == 0.1 * mean, boost::test_tools::tolerance(1e-5));
      BOOST_TEST(bench.read(3)[c] == 0.9 + 0.1 * squares / 59, boost::test_tools::tolerance(1e-5));
    }
  });
}

BOOST_AUTO_TEST_CASE(parameters_come_back_as_they_were_given) {
  for_each_backend([](std::string_view name) {
    Bench bench = make_bench(name, normalized_model(), {{.batch = 3}});
    const ModelGraph& graph = bench.graph();
    for (std::uint32_t i = 0; i < graph.parameters().size(); ++i) {
      BOOST_TEST(bench.read(i) == initial_value(graph, i, 3), boost::test_tools::per_element());
      std::vector<float> values(graph.parameters()[i].num_elements());
      for (std::size_t j = 0; j < values.size(); ++j) values[j] = static_cast<float>(j) + 0.5f;
      const bool has_state = graph.parameters()[i].is_trainable;
      const ParamPart part = has_state ? ParamPart::kState : ParamPart::kMaster;
      bench.program().import_param(i, part, values);
      BOOST_TEST(bench.read(i, part) == values, boost::test_tools::per_element());
    }
  });
}

// A tail of 3 trained through its own program moves the weights that the others read.
BOOST_AUTO_TEST_CASE(tail_and_evaluation_programs_share_the_parameters) {
  std::vector<std::vector<float>> scores;
  for_each_backend([&](std::string_view name) {
    Bench bench = make_bench(name, normalized_model(),
                             {{.batch = 8}, {.batch = 3}, {.batch = 5, .mode = Mode::kEvaluate}});
    const StepScalars scalars{.learning_rate = 0.05};
    bench.step(bench.batch(8, 1), scalars);
    bench.step(bench.batch(8, 2), scalars, 1);  // the first 3 of a batch of 8
    bench.step(bench.batch(8, 3), scalars);
    for (std::size_t i = 0; i < bench.graph().parameters().size(); ++i) {
      const auto expected = bench.read(i);
      BOOST_TEST(bench.read(i, ParamPart::kMaster, 1) == expected,
                 boost::test_tools::per_element());
      BOOST_TEST(bench.read(i, ParamPart::kMaster, 2) == expected,
                 boost::test_tools::per_element());
    }
    bench.forward(bench.program(2), bench.batch(5, 4));
    scores.push_back(bench.logits(2));
  });
  // Three steps of float32 against double.
  BOOST_TEST(relative_l2(scores[0], scores[1]) < 1e-4);
}

// Srivastava et al., Dropout (2014), in the inverted form of Keras and PyTorch: a quarter becomes
// 0, the rest is divided by 3/4. 2,048 draws leave a standard error of 0.0096.
BOOST_AUTO_TEST_CASE(dropout_zeroes_its_share_and_scales_the_rest) {
  ModelGraph graph("dropout", {512, 1, 1});
  graph.set_output(graph.dropout("drop", graph.input(), 0.25));
  std::vector<std::vector<float>> seen;
  for_each_backend([&](std::string_view name) {
    Bench bench = make_bench(name, graph, {{.batch = 4}, {.batch = 4, .mode = Mode::kEvaluate}});
    ToyBatch batch = bench.batch(4, 1);
    batch.values().assign(batch.values().size(), 3.0f);
    bench.forward(bench.program(), batch, {.step = 1, .seed = 2});
    seen.push_back(bench.logits());
    std::size_t num_zero = 0;
    for (const float v : seen.back()) {
      BOOST_TEST((v == 0.0f || v == 4.0f));
      num_zero += v == 0.0f ? 1 : 0;
    }
    BOOST_TEST(std::abs(static_cast<double>(num_zero) / 2048 - 0.25) < 4 * 0.0096);
    bench.forward(bench.program(), batch, {.step = 2, .seed = 2});
    BOOST_TEST((bench.logits() != seen.back()));
    bench.forward(bench.program(1), batch, {.step = 1, .seed = 2});
    BOOST_TEST(bench.logits(1) == batch.values(), boost::test_tools::per_element());
  });
  BOOST_TEST(seen[0] == seen[1], boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(lease_goes_back_when_its_slot_is_released) {
  struct Counter : LeaseOwner {
    void give_back(std::uint32_t) noexcept override { ++count; }
    int count = 0;
  };
  for_each_backend([](std::string_view name) {
    Bench bench = make_bench(name, linear_model(), {{.batch = 2}});
    const ToyBatch batch = bench.batch(2, 1);
    const auto owner = std::make_shared<Counter>();
    bench.backend().upload(BatchLease(batch.lease().view(), owner, 0), 0);
    bench.program().run(Phase::kForward, 0);
    bench.program().run(Phase::kBackward, 0);
    BOOST_TEST(owner->count == 0);
    bench.backend().release(0);
    BOOST_TEST(owner->count == 1);
    BOOST_TEST(message_of([&] { bench.program().run(Phase::kForward, 0); }) ==
               "program: run: expected a slot with a batch, found an empty one");
    BOOST_TEST(message_of([&] { bench.backend().upload(batch.lease(), kMaxInputSlots); }) ==
               "program: input slot: expected below 8, found 8");
  });
}

BOOST_AUTO_TEST_CASE(weights_that_are_not_numbers_show_in_the_report) {
  for_each_backend([](std::string_view name) {
    Bench bench = make_bench(name, normalized_model(), {{.batch = 2}});
    std::vector<float> weights = bench.read(0);
    for (float& w : weights) w = NAN;
    bench.program().import_param(0, ParamPart::kMaster, weights);
    BOOST_TEST(!bench.forward(bench.program(), bench.batch(2, 1)).is_finite);
  });
}

BOOST_AUTO_TEST_CASE(calls_that_do_not_fit_are_refused) {
  for_each_backend([](std::string_view name) {
    Bench bench = make_bench(name, normalized_model(), {{.batch = 4, .mode = Mode::kEvaluate}});
    BOOST_TEST(message_of([&] { bench.program().run(Phase::kBackward, 0); }) ==
               "program: run: expected the forward phase in evaluation, found backward");
    BOOST_TEST(message_of([&] { bench.program().run(Phase::kForward, 0); }) ==
               "program: run: expected a slot with a batch, found an empty one");
    BOOST_TEST(message_of([&] {
                 bench.forward(bench.program(), bench.batch(3, 1));
               }).starts_with("program: batch: expected 4 x 3 x 13 x 14 "));
    ToyBatch batch = bench.batch(4, 1);
    batch.labels()[2] = 4;
    BOOST_TEST(message_of([&] { bench.forward(bench.program(), batch); }) ==
               "program: batch: expected labels below 4, found 4");
    BOOST_TEST(message_of([&] { bench.read(0, ParamPart::kGrad); }) ==
               "program: conv1.weight: expected a trainable parameter of a training program, "
               "found an evaluation program");
    ModelGraph graph("flat", {3, 1, 1});
    graph.set_output(graph.batch_norm("bn", graph.input()));
    BOOST_TEST(message_of([&] { bench.backend().lower(graph, {.batch = 1}); }) ==
               "model: bn: expected at least 2 values per channel in training, found 1");
    BOOST_TEST(message_of([&] { bench.backend().lower(graph, {.batch = 0}); }) ==
               "lowering: batch: expected 1 to 65536, found 0");
  });
}

// 2^32 values a sample, 2^16 samples: 2^48 values, 8 times what is allowed.
BOOST_AUTO_TEST_CASE(batches_of_too_many_values_are_refused_by_layer) {
  for_each_backend([](std::string_view name) {
    const auto backend = make_backend(name, {.num_threads = 1});
    ModelGraph graph("wide", {3, 64, 64});
    NodeId x = graph.conv2d("c", graph.input(), {.filters = 1u << 20, .kernel = {1, 1}});
    graph.set_output(graph.global_avg_pool("gap", x));
    for (const Mode mode : {Mode::kTrain, Mode::kEvaluate}) {
      BOOST_TEST(message_of([&] { backend->lower(graph, {.batch = 1u << 16, .mode = mode}); }) ==
                 "model: c: expected at most 17592186044416 values in a batch, found 65536 samples "
                 "of [1048576, 64, 64]");
    }
  });
}

// 2^44 values, the most there may be: lowered and planned, and too large only for the machine.
BOOST_AUTO_TEST_CASE(batches_at_the_limit_are_planned) {
  for_each_backend([](std::string_view name) {
    const auto backend = make_backend(name, {.num_threads = 1});
    ModelGraph graph("wide", {3, 64, 64});
    NodeId x = graph.conv2d("c", graph.input(), {.filters = 1u << 20, .kernel = {1, 1}});
    graph.set_output(graph.global_avg_pool("gap", x));
    const auto program = backend->lower(graph, {.batch = 1u << 12});
    Program* const programs[] = {program.get()};
    BOOST_TEST(plan_programs(programs).arena_bytes >= std::size_t{1} << 46);
  });
}

BOOST_AUTO_TEST_CASE(reports_that_nobody_polls_are_an_error_not_memory) {
  for_each_backend([](std::string_view name) {
    Bench bench = make_bench(name, linear_model(), {{.batch = 1, .mode = Mode::kEvaluate}});
    const ToyBatch batch = bench.batch(1, 1);
    const auto run = [&](std::uint64_t step) {
      bench.backend().upload(batch.lease(), 0);
      bench.backend().set_scalars({.step = step}, 0);
      bench.program().run(Phase::kForward, 0);
    };
    // Three times around, so that the oldest report lies somewhere in the middle.
    for (std::uint64_t step = 0; step < 3 * kMaxPendingReports + 7; ++step) {
      run(step);
      BOOST_TEST_REQUIRE(bench.backend().poll().value().step == step);
    }
    for (std::uint64_t step = 0; step < kMaxPendingReports; ++step) run(step);
    BOOST_TEST(message_of([&] { run(kMaxPendingReports); }) ==
               "backend: reports: expected poll() at least every 256 runs, found one more "
               "without");
    for (std::uint64_t step = 0; step < kMaxPendingReports; ++step) {
      BOOST_TEST_REQUIRE(bench.backend().poll().value().step == step);
    }
    BOOST_TEST(!bench.backend().poll().has_value());
  });
}

BOOST_AUTO_TEST_CASE(backends_that_are_not_there_are_named) {
  setenv("PENSTOCK_CUDA_MODULE", "/no/such/module.so", 1);
  BOOST_TEST(message_of([] {
               make_backend("cuda");
             }).starts_with("CUDA module: /no/such/module.so: expected a module that loads"));
  BOOST_TEST(message_of([] { make_backend("onedn"); }) ==
             "backend: expected a known name, found 'onedn'");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
