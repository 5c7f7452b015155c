#include <boost/test/unit_test.hpp>

#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/training_bench.h"
#include "train/backend/onednn/onednn_backend.h"
#include "train/backend/reference/reference_backend.h"
#include "train/graph/model_zoo.h"

namespace penstock::train {
namespace {

/// Float32 against double. Sums over a channel's places cancel in batch norm's backward pass, so
/// what comes out of it keeps a digit less than the forward pass.
constexpr double kForwardTolerance = 1e-5;
constexpr double kGradientTolerance = 1e-4;

/// Biases before a batch norm have no gradient but rounding; small ones are compared absolutely.
double difference(const std::vector<float>& found, const std::vector<float>& expected) {
  double largest = 0;
  for (const float v : expected) largest = std::max(largest, std::abs(static_cast<double>(v)));
  if (largest > 1e-4) return relative_l2(found, expected);
  double worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(found[i]) - expected[i]));
  }
  return worst;
}

void compare(const ModelGraph& graph, bool fuse, unsigned num_threads, std::uint32_t batch_size) {
  const Lowering lowering{.batch = batch_size, .label_smoothing = 0.1, .fuse = fuse};
  Bench fast(make_onednn_backend({.num_threads = num_threads}), graph, {lowering});
  Bench slow(make_reference_backend({}), graph, {lowering});
  for (unsigned step = 0; step < 3; ++step) {
    const StepScalars scalars{
        .learning_rate = 0.05f, .momentum = 0.9f, .weight_decay = 5e-4f, .step = step, .seed = 9};
    ToyBatch a = fast.batch(batch_size, step);
    ToyBatch b = slow.batch(batch_size, step);
    a.weights()[0] = b.weights()[0] = 0.5f;
    const StepReport found = fast.step(a, scalars);
    const StepReport expected = slow.step(b, scalars);
    BOOST_TEST(found.weighted_loss_sum == expected.weighted_loss_sum,
               boost::test_tools::tolerance(kForwardTolerance));
    BOOST_TEST(found.weight_sum == expected.weight_sum);
    BOOST_TEST(found.num_correct == expected.num_correct);
    BOOST_TEST(difference(fast.logits(), slow.logits()) < kForwardTolerance * (1 + 4 * step));
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      BOOST_TEST_CONTEXT(graph.parameters()[i].name << ", step " << step) {
        if (graph.parameters()[i].is_trainable) {
          BOOST_TEST(difference(fast.read(i, ParamPart::kGrad), slow.read(i, ParamPart::kGrad)) <
                     kGradientTolerance);
        }
        BOOST_TEST(difference(fast.read(i), slow.read(i)) < kForwardTolerance);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE(onednn_twin)

BOOST_AUTO_TEST_CASE(every_odd_model_equals_the_reference_fused_and_node_by_node) {
  for (const bool fuse : {true, false}) {
    for (const ModelGraph& graph : {strided_model(), normalized_model(), dropping_model()}) {
      BOOST_TEST_CONTEXT(graph.name() << (fuse ? " fused" : " node by node")) {
        compare(graph, fuse, 2, 6);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(small_cnn_equals_the_reference) {
  compare(small_cnn({3, 18, 23}, 5), true, 2, 8);
}

BOOST_AUTO_TEST_CASE(same_seed_and_threads_give_identical_weights) {
  const auto train = [] {
    const ModelGraph graph = normalized_model();
    Bench bench(make_onednn_backend({.num_threads = 2}), graph, {{.batch = 8}});
    for (unsigned step = 0; step < 4; ++step) {
      bench.step(bench.batch(8, step), {.learning_rate = 0.1f, .momentum = 0.9f, .step = step});
    }
    std::vector<std::vector<float>> weights;
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) weights.push_back(bench.read(i));
    return weights;
  };
  const auto first = train();
  for (int again = 0; again < 3; ++again) BOOST_TEST((train() == first));
}

BOOST_AUTO_TEST_CASE(explanation_names_the_fusion_of_every_node) {
  Bench fused(make_onednn_backend({.num_threads = 1}), normalized_model(), {{.batch = 2}});
  const std::string text = fused.program().explain();
  BOOST_TEST(text.find("bn1: own NHWC kernels, fused batch_norm + relu + max_pool\n") !=
             std::string::npos);
  BOOST_TEST(text.find("bn2: own NHWC kernels, fused batch_norm + relu; fusing max_pool takes a "
                       "2 x 2 window at step 2 without padding\n") != std::string::npos);
  BOOST_TEST(text.find("pool1: with bn1\n") != std::string::npos);
  BOOST_TEST(text.find("relu2: with bn2\n") != std::string::npos);
  BOOST_TEST(text.find("no input gradient") != std::string::npos);
  Bench plain(make_onednn_backend({.num_threads = 1}), normalized_model(),
              {{.batch = 2, .fuse = false}});
  BOOST_TEST(plain.program().explain().find("fused") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
