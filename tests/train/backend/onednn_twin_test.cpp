#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/training_bench.h"
#include "tests/train/backend/wide_models.h"
#include "train/backend/onednn/onednn_backend.h"
#include "train/backend/reference/reference_backend.h"
#include "train/graph/model_zoo.h"

namespace penstock::train {
namespace {

/// Float32 against double, relative L2. operation_twin_test holds every operation alone to 1e-5, its gradients too.
/// Here each node reads what those before it have rounded, and sums over a channel's places cancel in the backward
/// pass of norms: the largest differences of gradients were 1.0e-5 (a layer norm's shift, a batch norm's), those of
/// what starts at zero 1.4e-5 (a running mean), with oneDNN 2.6 and AVX-512.
constexpr double kForwardTolerance = 1e-5;
constexpr double kGradientTolerance = 5e-5;

/// What starts at zero holds nothing but sums that cancel.
double tolerance_of(const Parameter& parameter) {
  const bool starts_at_zero = parameter.kind == ParamKind::kBias ||
                              parameter.kind == ParamKind::kShift ||
                              parameter.kind == ParamKind::kRunningMean;
  return starts_at_zero ? kGradientTolerance : kForwardTolerance;
}

void compare(const ModelGraph& graph, bool fuse, unsigned num_threads, std::uint32_t batch_size,
             LabelForm label_form = LabelForm::kClassIndex) {
  const std::vector<Lowering> lowerings = {
      {.batch = batch_size,
       .loss = {.label_smoothing = 0.1},
       .label_form = label_form,
       .fuse = fuse},
      {.batch = batch_size, .mode = Mode::kEvaluate, .fuse = fuse}};
  Bench fast(make_onednn_backend({.num_threads = num_threads}), graph, lowerings);
  Bench slow(make_reference_backend({}), graph, lowerings);
  for (unsigned step = 0; step < 3; ++step) {
    const StepScalars scalars{.learning_rate = 0.05, .step = step, .seed = 9};
    ToyBatch a = fast.batch(batch_size, step);
    ToyBatch b = slow.batch(batch_size, step);
    a.weights()[0] = b.weights()[0] = 0.5f;
    const ToyBatch plain_a = a;  // evaluation has labels only
    const ToyBatch plain_b = b;
    if (label_form == LabelForm::kTargets) {
      const auto targets = soft_targets(batch_size, graph.num_classes(), step);
      a.set_targets(targets);
      b.set_targets(targets);
    }
    const double tolerance = kForwardTolerance * (1 + 4 * step);
    const StepReport found = fast.forward_and_backward(a, scalars);
    const StepReport expected = slow.forward_and_backward(b, scalars);
    BOOST_TEST(found.weighted_loss_sum == expected.weighted_loss_sum,
               boost::test_tools::tolerance(kForwardTolerance));
    BOOST_TEST(found.weight_sum == expected.weight_sum);
    BOOST_TEST(found.num_correct == expected.num_correct);
    BOOST_TEST(relative_l2(fast.logits(), slow.logits()) < tolerance);
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      if (!graph.parameters()[i].is_trainable) continue;
      BOOST_TEST_CONTEXT(graph.parameters()[i].name << ", gradient, step " << step) {
        BOOST_TEST(relative_l2(fast.read(i, ParamPart::kGrad), slow.read(i, ParamPart::kGrad)) <
                   kGradientTolerance);
      }
    }
    fast.update();
    slow.update();
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      BOOST_TEST_CONTEXT(graph.parameters()[i].name << ", step " << step) {
        BOOST_TEST(relative_l2(fast.read(i), slow.read(i)) < tolerance_of(graph.parameters()[i]));
      }
    }
    fast.forward(fast.program(1), plain_a);
    slow.forward(slow.program(1), plain_b);
    BOOST_TEST_CONTEXT("evaluation after step " << step) {
      BOOST_TEST(relative_l2(fast.logits(1), slow.logits(1)) < tolerance);
    }
  }
}

BOOST_AUTO_TEST_SUITE(onednn_twin)

BOOST_AUTO_TEST_CASE(every_odd_model_equals_the_reference_fused_and_node_by_node) {
  for (const bool fuse : {true, false}) {
    for (const ModelGraph& graph : odd_models()) {
      for (const unsigned num_threads : {1u, 2u}) {
        BOOST_TEST_CONTEXT(graph.name() << (fuse ? " fused, " : " node by node, ") << num_threads
                                        << " threads") {
          compare(graph, fuse, num_threads, 6);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_model_with_branches_equals_the_reference) {
  for (const bool fuse : {true, false}) {
    for (const ModelGraph& graph : branched_models()) {
      BOOST_TEST_CONTEXT(graph.name() << (fuse ? " fused" : " node by node")) {
        compare(graph, fuse, 2, 6);
        compare(graph, fuse, 1, 3);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_wide_model_equals_the_reference_fused_and_node_by_node) {
  for (const bool fuse : {true, false}) {
    for (const ModelGraph& graph : wide_models()) {
      BOOST_TEST_CONTEXT(graph.name() << (fuse ? " fused" : " node by node")) {
        compare(graph, fuse, 2, 6);
        compare(graph, fuse, 3, 2);
      }
    }
  }
}

// bn2 has 2 samples of 3 x 3 places and pools to one row each.
BOOST_AUTO_TEST_CASE(more_threads_than_rows_or_samples_change_nothing) {
  compare(odd_width_model(), true, 23, 2);
  compare(odd_width_model(), false, 23, 2);
  for (const ModelGraph& graph : branched_models()) {
    BOOST_TEST_CONTEXT(graph.name()) {
      compare(graph, true, 7, 2);
    }
  }
}

/// Largest relative difference of a running variance after one step over 32 pictures, of which `change` has made
/// some places unlike the others. 16 channels go by whole vectors, 3 one by one.
double variance_error(std::uint32_t channels, const auto& change) {
  ModelGraph graph("far_away", {channels, 16, 16});
  NodeId x = graph.batch_norm("norm", graph.input());
  x = graph.global_avg_pool("pool", x);
  graph.set_output(graph.dense("head", x, {.units = 2}));
  const std::vector<Lowering> lowerings = {{.batch = 32}};
  Bench fast(make_onednn_backend({.num_threads = 2}), graph, lowerings);
  Bench slow(make_reference_backend({}), graph, lowerings);
  for (Bench* bench : {&fast, &slow}) {
    ToyBatch batch = bench->batch(32, 1);
    change(batch);
    bench->forward(bench->program(), batch);
  }
  constexpr std::size_t kVariance = 3;  // behind scale, shift and mean
  const std::vector<float> found = fast.read(kVariance);
  const std::vector<float> expected = slow.read(kVariance);
  double worst = 0;
  for (std::size_t c = 0; c < channels; ++c) {
    const double difference = static_cast<double>(found[c]) - static_cast<double>(expected[c]);
    worst = std::max(worst, std::abs(difference) / static_cast<double>(expected[c]));
  }
  return worst;
}

// Values are of deviation 1 or so. A letterboxed corner, one hot pixel, a sample that could not be read.
BOOST_AUTO_TEST_CASE(variance_keeps_its_digits_whatever_is_far_from_the_rest) {
  for (const std::uint32_t channels : {3u, 16u}) {
    for (const float distance : {0.0f, 1e2f, 1e3f, 1e4f, 1e6f}) {
      BOOST_TEST_CONTEXT(channels << " channels, " << distance << " away") {
        const auto move = [&](ToyBatch& batch, std::size_t sample, std::size_t first,
                              std::size_t num_places) {
          for (std::size_t c = 0; c < channels; ++c) {
            for (std::size_t i = first; i < first + num_places; ++i) {
              batch.values()[batch.place(sample, c, i)] += distance;
            }
          }
        };
        BOOST_TEST(variance_error(channels, [&](ToyBatch& batch) { move(batch, 0, 0, 1); }) <
                   kForwardTolerance);
        BOOST_TEST(variance_error(channels, [&](ToyBatch& batch) { move(batch, 7, 100, 1); }) <
                   kForwardTolerance);
        BOOST_TEST(variance_error(channels, [&](ToyBatch& batch) { move(batch, 0, 0, 20); }) <
                   kForwardTolerance);
        BOOST_TEST(variance_error(channels, [&](ToyBatch& batch) {
                     for (std::size_t n = 1; n < 32; ++n) move(batch, n, 0, 256);
                   }) < kForwardTolerance);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(small_cnn_equals_the_reference) {
  compare(small_cnn({3, 18, 23}, 5), true, 2, 8);
}

BOOST_AUTO_TEST_CASE(training_on_soft_targets_equals_the_reference) {
  compare(normalized_model(), true, 2, 6, LabelForm::kTargets);
  compare(strided_model(), false, 1, 5, LabelForm::kTargets);
}

BOOST_AUTO_TEST_CASE(same_seed_and_threads_give_identical_weights) {
  for (const ModelGraph& graph : {normalized_model(), depthwise_model(), joins_model()}) {
    const auto train = [&] {
      Bench bench(make_onednn_backend({.num_threads = 2}), graph, {{.batch = 8}});
      for (unsigned step = 0; step < 4; ++step) {
        bench.step(bench.batch(8, step), {.learning_rate = 0.1, .step = step});
      }
      std::vector<std::vector<float>> weights;
      for (std::size_t i = 0; i < graph.parameters().size(); ++i) weights.push_back(bench.read(i));
      return weights;
    };
    const auto first = train();
    for (int again = 0; again < 3; ++again) BOOST_TEST((train() == first), graph.name());
  }
}

BOOST_AUTO_TEST_CASE(explanation_names_the_fusion_of_every_node) {
  Bench fused(make_onednn_backend({.num_threads = 1}), normalized_model(), {{.batch = 2}});
  const std::string text = fused.program().explain();
  BOOST_TEST(text.find("bn1: float32, own NHWC kernels, fused batch_norm + relu + max_pool\n") !=
             std::string::npos);
  BOOST_TEST(text.find("bn2: float32, own NHWC kernels, fused batch_norm + relu + max_pool\n") !=
             std::string::npos);
  BOOST_TEST(text.find("pool1: with bn1\n") != std::string::npos);
  BOOST_TEST(text.find("relu2: with bn2\n") != std::string::npos);
  Bench padded(make_onednn_backend({.num_threads = 1}), padded_pools_model(), {{.batch = 2}});
  BOOST_TEST(padded.program().explain().find(
                 "bn1: float32, own NHWC kernels, fused batch_norm + relu; fusing max_pool takes "
                 "2 x 2 windows without padding, or 3 x 3 ones padded by 1, at step 2\n") !=
             std::string::npos);
  BOOST_TEST(text.find("no input gradient") != std::string::npos);
  Bench blocks(make_onednn_backend({.num_threads = 1}), resnet_blocks_model(), {{.batch = 2}});
  const std::string sums = blocks.program().explain();
  for (const char* line : {"a2_bn: float32, own NHWC kernels, fused batch_norm + add + "
                           "relu\na_sum: with a2_bn\na: with "
                           "a2_bn\n",
                           "b2_bn: float32, own NHWC kernels, fused batch_norm + add + relu\n",
                           "b_projection_bn: float32, own NHWC kernels\n",
                           "c2_bn: float32, own NHWC kernels, fused batch_norm + add + relu\n"}) {
    BOOST_TEST(sums.find(line) != std::string::npos, line);
  }
  Bench smooth(make_onednn_backend({.num_threads = 1}), activations_model(), {{.batch = 2}});
  const std::string activations = smooth.program().explain();
  for (const char* line : {"silu_norm: float32, own NHWC kernels, fused batch_norm + silu\n"
                           "silu_fused: with silu_norm\n",
                           "silu_alone: float32, own NHWC kernels\n"}) {
    BOOST_TEST(activations.find(line) != std::string::npos, line);
  }
  Bench plain(make_onednn_backend({.num_threads = 1}), normalized_model(),
              {{.batch = 2, .fuse = false}});
  BOOST_TEST(plain.program().explain().find("fused") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
