// Three training steps from the same weights on the same batches as PyTorch's: torch_steps.txt, which
// tests/interop/torch_steps.py writes.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/golden_file.h"
#include "tests/train/backend/computer.h"
#include "tests/train/backend/training_bench.h"
#include "train/backend/onednn/onednn_backend.h"
#include "train/backend/reference/reference_backend.h"

namespace penstock::train {
namespace {

using tests::GoldenCase;

constexpr std::uint32_t kBatch = 4;
constexpr unsigned kNumSteps = 3;
constexpr double kLabelSmoothing = 0.1;

Conv2dOptions conv(std::uint32_t filters, bool has_bias) {
  return {
      .filters = filters, .padding = PaddingRule::kExplicit, .pad = {1, 1}, .has_bias = has_bias};
}

/// The script's Residual.
ModelGraph residual_net() {
  ModelGraph graph("residual", {3, 6, 5});
  NodeId x = graph.batch_norm("stem_bn", graph.conv2d("stem", graph.input(), conv(4, false)));
  x = graph.max_pool("stem_pool", graph.relu("stem_relu", x));
  NodeId inner = graph.batch_norm("block1_bn", graph.conv2d("block1", x, conv(4, false)));
  inner = graph.relu("block1_relu", inner);
  inner = graph.batch_norm("block2_bn", graph.conv2d("block2", inner, conv(4, false)));
  x = graph.relu("block_relu", graph.add("block_sum", inner, x));
  Conv2dOptions last = conv(6, true);
  last.kernel = {3, 2};
  last.stride = {1, 2};
  x = graph.relu("last_relu", graph.conv2d("last", x, last));
  graph.set_output(graph.dense("head", graph.global_avg_pool("gap", x), {.units = 5}));
  return graph;
}

/// The script's Grouped.
ModelGraph grouped_net() {
  ModelGraph graph("grouped", {4, 5, 6});
  Conv2dOptions grouped = conv(6, true);
  grouped.groups = 2;
  NodeId x = graph.relu("grouped_relu", graph.conv2d("grouped", graph.input(), grouped));
  Conv2dOptions depthwise = conv(6, false);
  depthwise.groups = 6;
  depthwise.stride = {1, 2};
  x = graph.batch_norm("depthwise_bn", graph.conv2d("depthwise", x, depthwise));
  x = graph.activation("depthwise_relu6", x, ActivationKind::kRelu6);
  Conv2dOptions pointwise = conv(3, false);
  pointwise.kernel = {1, 1};
  pointwise.pad = {0, 0};
  x = graph.batch_norm("pointwise_bn", graph.conv2d("pointwise", x, pointwise));
  x = graph.avg_pool("pool", x, {.window = {2, 2}, .stride = {2, 1}});
  graph.set_output(graph.dense("head", graph.flatten("flat", x), {.units = 3}));
  return graph;
}

/// The settings of the script's OPTIMIZERS and WEIGHT_DECAY.
std::map<std::string, OptimizerConfig> optimizers() {
  OptimizerConfig sgd = OptimizerConfig::of(OptimizerKind::kSgd);
  sgd.learning_rate = 0.1;
  sgd.weight_decay = 0.05;
  OptimizerConfig adamw = OptimizerConfig::of(OptimizerKind::kAdamw);
  adamw.learning_rate = 0.02;
  adamw.weight_decay = 0.3;
  return {{"sgd", sgd}, {"adamw", adamw}};
}

// Double, or float32 sums in another order.
const std::vector<Computer> kComputers{{"reference", &make_reference_backend, true, 1e-6},
                                       {"onednn", &make_onednn_backend, true, 1e-5},
                                       {"onednn, not fused", &make_onednn_backend, false, 1e-5}};

/// A case of the file with its net.
struct Play {
  const ModelGraph& graph;
  const GoldenCase& given;     // NET
  const GoldenCase& expected;  // NET.OPTIMIZER
  OptimizerConfig optimizer;
};

ToyBatch batch_of(const Play& play, const Bench& bench, unsigned step) {
  ToyBatch batch = bench.batch(kBatch, 0);
  const std::string at = "." + std::to_string(step);
  batch.labels() = play.given.values_or_none<std::uint32_t>("labels" + at);
  const auto pixels = play.given.values_or_none<float>("pixels" + at);
  const TensorShape sides = play.graph.input_shape();
  BOOST_REQUIRE(pixels.size() == kBatch * sides.num_elements());
  BOOST_REQUIRE(batch.labels().size() == kBatch);
  std::size_t from = 0;
  for (std::size_t n = 0; n < kBatch; ++n) {
    for (std::size_t c = 0; c < sides.channels; ++c) {
      for (std::size_t i = 0; i < sides.area(); ++i) {
        batch.values()[batch.place(n, c, i)] = pixels[from++];
      }
    }
  }
  return batch;
}

void compare(const std::string& what, const std::vector<float>& found,
             const std::vector<float>& expected, double tolerance) {
  BOOST_TEST_CONTEXT(what) {
    BOOST_REQUIRE(found.size() == expected.size());
    BOOST_TEST(relative_l2(found, expected) < tolerance);
  }
}

void take_steps(const Play& play, const Computer& computer) {
  Bench bench(computer.make({.num_threads = 2}), play.graph,
              {{.batch = kBatch,
                .optimizer = play.optimizer,
                .loss = {.label_smoothing = kLabelSmoothing},
                .fuse = computer.fuse}});
  const auto parameters = play.graph.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    bench.program().import_param(i, ParamPart::kMaster,
                                 play.given.values_or_none<float>("initial." + parameters[i].name));
  }
  for (unsigned step = 0; step < kNumSteps; ++step) {
    const std::string at = "." + std::to_string(step);
    const StepReport report = bench.forward_and_backward(
        batch_of(play, bench, step), {.learning_rate = play.optimizer.learning_rate, .step = step});
    BOOST_TEST(report.weighted_loss_sum / report.weight_sum == play.expected.number("loss" + at),
               boost::test_tools::tolerance(computer.tolerance));
    compare("logits" + at, bench.logits(), play.expected.values_or_none<float>("logits" + at),
            computer.tolerance);
    for (std::size_t i = 0; step == 0 && i < parameters.size(); ++i) {
      if (!parameters[i].is_trainable) continue;
      const std::string name = "gradient." + parameters[i].name;
      compare(name, bench.read(i, ParamPart::kGrad), play.given.values_or_none<float>(name),
              computer.tolerance);
    }
    bench.update();
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    compare(parameters[i].name, bench.read(i),
            play.expected.values_or_none<float>(parameters[i].name), computer.tolerance);
  }
}

BOOST_AUTO_TEST_SUITE(torch_steps)

BOOST_AUTO_TEST_CASE(three_steps_give_pytorchs_logits_gradients_and_weights) {
  const auto file =
      std::filesystem::path(PENSTOCK_SOURCE_DIR) / "tests/train/backend/torch_steps.txt";
  for (const ModelGraph& graph : {residual_net(), grouped_net()}) {
    const std::vector<GoldenCase> given = tests::read_goldens(file, graph.name());
    BOOST_REQUIRE(given.front().name() == graph.name());
    for (const auto& [name, optimizer] : optimizers()) {
      const auto expected = tests::read_goldens(file, graph.name() + "." + name);
      for (const Computer& computer : kComputers) {
        BOOST_TEST_CONTEXT(graph.name() << ", " << name << ", " << computer.name) {
          take_steps({graph, given.front(), expected.front(), optimizer}, computer);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
