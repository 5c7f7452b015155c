// Steps of a backend `cuda` beside those of the reference: gradients, weights, statistics, evaluation.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "tests/train/backend/training_bench.h"
#include "train/backend/reference/reference_backend.h"

namespace penstock::train::cuda {

/// Relative L2 against double. As onednn's: each node reads what those before it have rounded, and sums over a
/// channel's places cancel going back.
inline constexpr double kForwardTolerance = 1e-5;
inline constexpr double kGradientTolerance = 5e-5;
/// At 3 a value of `activations` lies on the corner of relu6, to rounding.
inline constexpr std::uint64_t kParameterSeed = 4;

inline bool is_custom(const ModelGraph& graph) {
  return std::ranges::any_of(
      graph.nodes(), [](const Node& node) { return std::holds_alternative<CustomOp>(node.op); });
}

inline double tolerance_of(const Parameter& parameter) {
  const bool starts_at_zero = parameter.kind == ParamKind::kBias ||
                              parameter.kind == ParamKind::kShift ||
                              parameter.kind == ParamKind::kRunningMean;
  return starts_at_zero ? kGradientTolerance : kForwardTolerance;
}

/// Three steps, `tolerance_factor` times as far off as the stand-in, whose products add up in double, may be.
inline void compare_with_reference(std::unique_ptr<Backend> backend, const ModelGraph& graph,
                                   bool fuse, std::uint32_t batch_size,
                                   double tolerance_factor = 1) {
  const std::vector<Lowering> lowerings = {
      {.batch = batch_size, .loss = {.label_smoothing = 0.1}, .fuse = fuse},
      {.batch = batch_size, .mode = Mode::kEvaluate, .fuse = fuse}};
  Bench fast(std::move(backend), graph, lowerings, kParameterSeed);
  Bench slow(make_reference_backend({}), graph, lowerings, kParameterSeed);
  for (unsigned step = 0; step < 3; ++step) {
    const StepScalars scalars{.learning_rate = 0.05, .step = step, .seed = 9};
    ToyBatch a = fast.batch(batch_size, step);
    ToyBatch b = slow.batch(batch_size, step);
    a.weights()[0] = b.weights()[0] = 0.5f;
    const double tolerance = tolerance_factor * kForwardTolerance * (1 + 4 * step);
    const StepReport found = fast.forward_and_backward(a, scalars);
    const StepReport expected = slow.forward_and_backward(b, scalars);
    BOOST_TEST(found.weighted_loss_sum == expected.weighted_loss_sum,
               boost::test_tools::tolerance(tolerance_factor * kForwardTolerance));
    BOOST_TEST(found.weight_sum == expected.weight_sum);
    BOOST_TEST(found.num_correct == expected.num_correct);
    BOOST_TEST(relative_l2(fast.logits(), slow.logits()) < tolerance);
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      if (!graph.parameters()[i].is_trainable) continue;
      BOOST_TEST_CONTEXT(graph.parameters()[i].name << ", gradient, step " << step) {
        BOOST_TEST(relative_l2(fast.read(i, ParamPart::kGrad), slow.read(i, ParamPart::kGrad)) <
                   tolerance_factor * kGradientTolerance);
      }
    }
    fast.update();
    slow.update();
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      BOOST_TEST_CONTEXT(graph.parameters()[i].name << ", step " << step) {
        BOOST_TEST(relative_l2(fast.read(i), slow.read(i)) <
                   tolerance_factor * tolerance_of(graph.parameters()[i]));
      }
    }
    fast.forward(fast.program(1), a);
    slow.forward(slow.program(1), b);
    BOOST_TEST_CONTEXT("evaluation after step " << step) {
      BOOST_TEST(relative_l2(fast.logits(1), slow.logits(1)) < tolerance);
    }
  }
}

}  // namespace penstock::train::cuda
