#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <variant>

#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/training_bench.h"
#include "train/backend/reference/reference_backend.h"

namespace penstock::train {
namespace {

/// How far a weight is moved to either side, and what slopes may then differ by.
struct Differences {
  float step = 1e-4f;
  double absolute = 1e-6;
  double relative = 1e-5;
};

/// Compares every gradient of every parameter with central differences of the loss.
///
/// Storage is double, so that a step of 1e-4 leaves a truncation error of about 1e-8 and a
/// rounding error of about 1e-12. A ReLU or maximum that changes sides within the step would
/// stand out; the seeds are such that none does.
void check_gradients(const ModelGraph& graph, unsigned seed,
                     LabelForm label_form = LabelForm::kClassIndex,
                     const Differences& differences = {}) {
  constexpr std::uint32_t kBatch = 4;
  Bench bench(make_reference_backend({}), graph,
              {{.batch = kBatch, .loss = {.label_smoothing = 0.1}, .label_form = label_form}},
              seed);
  ToyBatch batch = bench.batch(kBatch, seed);
  batch.weights() = {1.0f, 0.5f, 0.0f, 2.0f};
  batch.labels()[1] = kUnlabelled;
  if (label_form == LabelForm::kTargets) {
    batch.set_targets(soft_targets(kBatch, graph.num_classes(), seed));
  }
  const StepScalars scalars{.step = 17, .seed = 5};
  const auto loss = [&] {
    const StepReport report = bench.forward(bench.program(), batch, scalars);
    return report.weighted_loss_sum / report.weight_sum;
  };
  loss();
  bench.program().run(Phase::kBackward, 0);
  std::vector<std::vector<float>> gradients;
  for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
    gradients.push_back(graph.parameters()[i].is_trainable ? bench.read(i, ParamPart::kGrad)
                                                           : std::vector<float>());
  }
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const std::vector<float> original = bench.read(i);
    const std::size_t stride = 1 + gradients[i].size() / 40;
    for (std::size_t j = 0; j < gradients[i].size(); j += stride) {
      std::vector<float> moved = original;
      const auto loss_at = [&](float value) {
        moved[j] = value;
        bench.program().import_param(i, ParamPart::kMaster, moved);
        return loss();
      };
      const float above = original[j] + differences.step;
      const float below = original[j] - differences.step;
      const double slope = (loss_at(above) - loss_at(below)) /
                           (static_cast<double>(above) - static_cast<double>(below));
      BOOST_TEST_CONTEXT(graph.parameters()[i].name << " " << j) {
        BOOST_TEST(std::abs(slope - static_cast<double>(gradients[i][j])) <
                   differences.absolute + differences.relative * std::abs(slope));
      }
    }
    bench.program().import_param(i, ParamPart::kMaster, original);
  }
}

/// Of weights and pictures that no step takes over the edge of a ReLU or a maximum. Another one, where a model
/// fails at few elements with this one.
unsigned seed_of(const ModelGraph& graph) {
  const std::map<std::string, unsigned, std::less<>> others{
      {"normalized", 2}, {"dropping", 3}, {"padded_pools", 4},
      {"residual", 11},  {"mobile", 7},   {"normed_samples", 8}};
  const auto found = others.find(graph.name());
  return found == others.end() ? 1 : found->second;
}

/// Operations of a program's own compute in float: a step of 2e-3 leaves a rounding error of about 1e-4.
Differences differences_of(const ModelGraph& graph) {
  const bool has_float_operations = std::ranges::any_of(
      graph.nodes(), [](const Node& node) { return std::holds_alternative<CustomOp>(node.op); });
  if (!has_float_operations) return {};
  return {.step = 2e-3f, .absolute = 2e-4, .relative = 2e-3};
}

BOOST_AUTO_TEST_SUITE(reference_gradients)

// Every model that other tests know, so that a new operation is differenced wherever it was added.
BOOST_AUTO_TEST_CASE(every_model_agrees_with_differences) {
  std::vector<ModelGraph> models = odd_models();
  std::ranges::move(branched_models(), std::back_inserter(models));
  for (const ModelGraph& graph : models) {
    BOOST_TEST_CONTEXT(graph.name()) {
      check_gradients(graph, seed_of(graph), LabelForm::kClassIndex, differences_of(graph));
    }
  }
}

BOOST_AUTO_TEST_CASE(soft_targets_agree_with_differences) {
  check_gradients(strided_model(), 5, LabelForm::kTargets);
  check_gradients(normalized_model(), 2, LabelForm::kTargets);
}

// Both windows of an all-equal picture pass their gradient to their first place: with a weight of
// 1 per place, the gradient by the weight is the picture there, marked by position.
BOOST_AUTO_TEST_CASE(equal_maxima_pass_the_gradient_to_the_first) {
  ModelGraph graph("ties", {1, 2, 4});
  NodeId x = graph.conv2d("conv", graph.input(), {.filters = 1, .kernel = {1, 2}});
  x = graph.max_pool("pool", x);
  x = graph.flatten("flat", x);
  x = graph.dense("head", x, {.units = 2, .has_bias = false});
  graph.set_output(x);
  Bench bench(make_reference_backend({}), graph, {{.batch = 1}});
  ToyBatch batch = bench.batch(1, 1);
  batch.values() = {1, 2, 3, 4, 5, 6, 7, 8};
  batch.labels() = {0};
  bench.program().import_param(0, ParamPart::kMaster, std::vector<float>{0, 0});  // all equal
  bench.program().import_param(1, ParamPart::kMaster, std::vector<float>{0});
  bench.program().import_param(2, ParamPart::kMaster, std::vector<float>{1, 3, 0, 0});
  bench.forward(bench.program(), batch);
  bench.program().run(Phase::kBackward, 0);
  // By hand: logits are 0, so dlogits = (-1/2, 1/2); d(pooled) = (-1/2, -3/2), to columns 0 and 2
  // of the first row. Kernel [1, 2] under `same` reads (col, col + 1): dw0 = -1/2*1 - 3/2*3 = -5,
  // dw1 = -1/2*2 - 3/2*4 = -7, dbias = -2.
  const std::vector<float> expected = {-5, -7};
  BOOST_TEST(bench.read(0, ParamPart::kGrad) == expected, boost::test_tools::per_element());
  BOOST_TEST(bench.read(1, ParamPart::kGrad)[0] == -2.0f);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
