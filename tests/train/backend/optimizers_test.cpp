#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/training_bench.h"
#include "train/backend/onednn/onednn_backend.h"
#include "train/backend/reference/reference_backend.h"

namespace penstock::train {
namespace {

std::vector<OptimizerConfig> optimizers() {
  std::vector<OptimizerConfig> configs;
  for (const std::string_view name : optimizer_names()) {
    const OptimizerKind kind = parse_optimizer(name);
    OptimizerConfig config = OptimizerConfig::of(kind);
    config.weight_decay = 1e-3;
    // Where a gradient is all rounding, a quotient of it must not decide.
    config.epsilon = 1e-3;
    configs.push_back(config);
    config.momentum = kind == OptimizerKind::kSgd ? 0 : 0.5;
    config.nesterov = false;
    config.l1 = 1e-4;
    config.clip_norm = 0.3;
    config.ema_decay = 0.8;
    configs.push_back(config);
  }
  return configs;
}

void compare(const ModelGraph& graph, const OptimizerConfig& optimizer) {
  const std::vector<Lowering> lowerings{{.batch = 6, .optimizer = optimizer}};
  Bench fast(make_onednn_backend({.num_threads = 2}), graph, lowerings);
  Bench slow(make_reference_backend({}), graph, lowerings);
  const std::size_t num_states = state_names(optimizer).size();
  std::vector<ParamPart> parts{ParamPart::kMaster};
  if (num_states > 0) parts.push_back(ParamPart::kState);
  if (num_states > 1) parts.push_back(ParamPart::kSecondState);
  if (optimizer.ema_decay > 0) parts.push_back(ParamPart::kEma);
  for (unsigned step = 0; step < 4; ++step) {
    const StepScalars scalars{.learning_rate = 0.01, .step = step, .seed = 9};
    fast.forward_and_backward(fast.batch(6, step), scalars);
    slow.forward_and_backward(slow.batch(6, step), scalars);
    const UpdateReport found = fast.update();
    const UpdateReport expected = slow.update();
    BOOST_TEST(found.gradient_norm == expected.gradient_norm, boost::test_tools::tolerance(1e-4));
    BOOST_TEST(found.is_finite);
    BOOST_TEST(found.step == step);
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      if (!graph.parameters()[i].is_trainable) continue;
      for (const ParamPart part : parts) {
        BOOST_TEST_CONTEXT(graph.parameters()[i].name << ", part " << static_cast<int>(part)
                                                      << ", step " << step) {
          BOOST_TEST(relative_l2(fast.read(i, part), slow.read(i, part)) < 1e-3);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE(optimizers_of_backends)

BOOST_AUTO_TEST_CASE(every_optimizer_moves_weights_states_and_means_as_the_reference) {
  for (const OptimizerConfig& optimizer : optimizers()) {
    BOOST_TEST_CONTEXT(optimizer_name(optimizer.kind) << ", l1 " << optimizer.l1) {
      compare(mobile_model(), optimizer);
      compare(normalized_model(), optimizer);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_step_that_is_not_finite_changes_nothing_and_counts_nowhere) {
  for (const std::string_view name : backend_names()) {
    for (const OptimizerConfig& optimizer : optimizers()) {
      Bench bench(make_backend(name, {.num_threads = 2}), strided_model(),
                  {{.batch = 4, .optimizer = optimizer}});
      bench.step(bench.batch(4, 1), {.learning_rate = 0.01});
      std::vector<std::vector<float>> before;
      for (std::size_t i = 0; i < bench.graph().parameters().size(); ++i) {
        before.push_back(bench.read(i));
      }
      ToyBatch batch = bench.batch(4, 2);
      batch.values()[0] = INFINITY;
      bench.forward_and_backward(batch, {.learning_rate = 0.01, .step = 1});
      const UpdateReport report = bench.update();
      BOOST_TEST(!report.is_finite);
      BOOST_TEST(report.step == 1u);
      for (std::size_t i = 0; i < before.size(); ++i) BOOST_TEST((bench.read(i) == before[i]));
      std::vector<std::uint64_t> num_steps(before.size());
      bench.program().export_num_steps(num_steps);
      BOOST_TEST(num_steps == std::vector<std::uint64_t>(before.size(), 1),
                 boost::test_tools::per_element());
    }
  }
}

// 2 of 3 samples with their gradients: clipped to half of the norm, the step of plain SGD is half as long.
BOOST_AUTO_TEST_CASE(clipping_by_the_norm_shortens_the_step) {
  for (const std::string_view name : backend_names()) {
    const OptimizerConfig plain{.momentum = 0, .nesterov = false, .weight_decay = 0};
    const auto moved = [&](double clip_norm, double& norm) {
      OptimizerConfig config = plain;
      config.clip_norm = clip_norm;
      Bench bench(make_backend(name, {.num_threads = 1}), strided_model(),
                  {{.batch = 3, .optimizer = config}});
      const std::vector<float> before = bench.read(0);
      bench.forward_and_backward(bench.batch(3, 1), {.learning_rate = 1});
      norm = bench.update().gradient_norm;
      std::vector<float> difference = bench.read(0);
      for (std::size_t i = 0; i < before.size(); ++i) difference[i] -= before[i];
      return difference;
    };
    double norm = 0;
    const std::vector<float> whole = moved(0, norm);
    double clipped_norm = 0;
    std::vector<float> half = moved(norm / 2, clipped_norm);
    BOOST_TEST(clipped_norm == norm);
    for (float& value : half) value *= 2;
    BOOST_TEST(relative_l2(half, whole) < 1e-5);
  }
}

// The mean begins as the initial weights; with decay 0.75 one step takes it a quarter of the way.
BOOST_AUTO_TEST_CASE(evaluation_reads_the_means_of_the_weights) {
  for (const std::string_view name : backend_names()) {
    const OptimizerConfig config{.ema_decay = 0.75};
    Bench bench(make_backend(name, {.num_threads = 2}), strided_model(),
                {{.batch = 4, .optimizer = config},
                 {.batch = 4, .mode = Mode::kEvaluate, .optimizer = config},
                 {.batch = 4, .mode = Mode::kEvaluate, .optimizer = config, .reads_ema = true}});
    const std::vector<float> initial = bench.read(0);
    const ToyBatch batch = bench.batch(4, 1);
    bench.forward(bench.program(2), batch);
    const std::vector<float> first = bench.logits(2);
    for (int step = 0; step < 2; ++step) {
      bench.step(batch, {.learning_rate = 0.1});
      if (step > 0) break;
      const std::vector<float> moved = bench.read(0);
      const std::vector<float> mean = bench.read(0, ParamPart::kEma);
      for (std::size_t i = 0; i < mean.size(); ++i) {
        BOOST_TEST(mean[i] == initial[i] + 0.25f * (moved[i] - initial[i]),
                   boost::test_tools::tolerance(1e-4f));
      }
    }
    bench.forward(bench.program(1), batch);
    const std::vector<float> of_weights = bench.logits(1);
    bench.forward(bench.program(2), batch);
    const std::vector<float> of_means = bench.logits(2);
    BOOST_TEST((of_means != first));
    // The same network with the means as its weights.
    for (std::size_t i = 0; i < bench.graph().parameters().size(); ++i) {
      bench.program().import_param(i, ParamPart::kMaster, bench.read(i, ParamPart::kEma));
    }
    bench.forward(bench.program(1), batch);
    BOOST_TEST(relative_l2(bench.logits(1), of_means) < 1e-6);  // they went through float32
    BOOST_TEST((of_weights != of_means));
  }
}

BOOST_AUTO_TEST_CASE(parts_that_an_optimizer_does_not_keep_are_refused) {
  for (const std::string_view name : backend_names()) {
    Bench bench(make_backend(name, {.num_threads = 1}), strided_model(), {{.batch = 2}});
    BOOST_CHECK_THROW(bench.read(0, ParamPart::kSecondState), Error);
    BOOST_CHECK_THROW(bench.read(0, ParamPart::kEma), Error);
    BOOST_CHECK_THROW(bench.program().import_num_steps(std::vector<std::uint64_t>(3)), Error);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
