// What a library computes within a convolution: the same numbers as without, said by explain(), and not asked for
// where it is not wanted.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "tests/contains.h"
#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/cuda/device_compare.h"
#include "tests/train/backend/cuda/stand_in/stand_in_backend.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/wide_models.h"
#include "train/backend/reference/reference_backend.h"

namespace penstock::train::cuda {
namespace {

using penstock::tests::contains;
using penstock::tests::Extras;
using penstock::tests::StandIn;

constexpr std::uint32_t kBatch = 6;

bool has_batch_norm(const ModelGraph& graph) {
  return std::ranges::any_of(
      graph.nodes(), [](const Node& node) { return std::holds_alternative<BatchNormOp>(node.op); });
}

/// Blocks that norm first: a sum is read by a norm and, in place, by the next sum.
ModelGraph norm_first_model() {
  ModelGraph graph("norm_first", {3, 8, 7});
  NodeId x = graph.conv2d("stem", graph.input(), {.filters = 9, .has_bias = false});
  for (const std::string name : {"a", "b"}) {
    NodeId inner = graph.relu(name + "_relu1", graph.batch_norm(name + "_bn1", x));
    inner = graph.conv2d(name + "_conv1", inner, {.filters = 12, .has_bias = false});
    inner = graph.relu(name + "_relu2", graph.batch_norm(name + "_bn2", inner));
    inner = graph.conv2d(name + "_conv2", inner, {.filters = 9, .has_bias = false});
    x = graph.add(name + "_sum", x, inner);
  }
  x = graph.relu("relu", graph.batch_norm("bn", x));
  graph.set_output(graph.dense("head", graph.global_avg_pool("gap", x), {.units = 4}));
  return graph;
}

std::vector<ModelGraph> normed_models() {
  std::vector<ModelGraph> models = {norm_first_model()};
  for (const auto& some : {odd_models(), branched_models(), wide_models()}) {
    std::ranges::copy_if(some, std::back_inserter(models), has_batch_norm);
  }
  return models;
}

std::string explained(StandIn& stand_in, const Lowering& lowering,
                      const DeviceProgramOptions& options = {}) {
  return stand_in.backend(options)->lower(resnet_blocks_model(), lowering)->explain();
}

/// The line of a node.
std::string line_of(const std::string& explanation, const std::string& node) {
  const std::size_t first = ("\n" + explanation).find("\n" + node + ": ");
  BOOST_REQUIRE(first != std::string::npos);
  return explanation.substr(first, explanation.find('\n', first) - first);
}

/// Of all gradients of a step, and of all parameters and statistics after it, against the reference.
double distance_from_reference(StandIn& stand_in, const Lowering& lowering) {
  const ModelGraph graph = resnet_blocks_model();
  Lowering plain = lowering;
  plain.compute = ComputeType::kFloat32;
  Bench fast(stand_in.backend(), graph, {lowering}, kParameterSeed);
  Bench slow(make_reference_backend({}), graph, {plain}, kParameterSeed);
  const StepScalars scalars{.learning_rate = 0.05};
  fast.forward_and_backward(fast.batch(kBatch, 1), scalars);
  slow.forward_and_backward(slow.batch(kBatch, 1), scalars);
  double worst = 0;
  const auto compare = [&](ParamPart part) {
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      const bool has_part = part == ParamPart::kMaster ||
                            (graph.parameters()[i].is_trainable && !lowering.is_frozen(i));
      if (has_part) worst = std::max(worst, relative_l2(fast.read(i, part), slow.read(i, part)));
    }
  };
  compare(ParamPart::kGrad);
  fast.update();
  slow.update();
  compare(ParamPart::kMaster);
  return worst;
}

BOOST_AUTO_TEST_SUITE(device_extras)

BOOST_AUTO_TEST_CASE(every_model_with_a_batch_norm_equals_the_reference_whatever_the_library_has) {
  const std::vector<ModelGraph> models = normed_models();
  BOOST_TEST(models.size() > 4u);
  std::uint64_t seed = 100;
  std::map<Extras, unsigned> num_extras;
  for (const ModelGraph& graph : models) {
    for (const Extras extras : {Extras::kNone, Extras::kStatistics, Extras::kAll}) {
      BOOST_TEST_CONTEXT(graph.name() << ", extras " << static_cast<int>(extras)) {
        StandIn stand_in(++seed);
        stand_in.products.extras = extras;
        compare_with_reference(stand_in.backend(), graph, true, kBatch);
        num_extras[extras] += stand_in.products.num_extras;
        BOOST_TEST(stand_in.device.faults().empty());
      }
    }
  }
  BOOST_TEST(num_extras[Extras::kNone] == 0u);
  BOOST_TEST(num_extras[Extras::kStatistics] > models.size());
  BOOST_TEST(num_extras[Extras::kAll] >= num_extras[Extras::kStatistics]);
}

// Planted faults: what the library gives beside a convolution is what counts.
BOOST_AUTO_TEST_CASE(extras_that_are_a_little_off_are_seen) {
  StandIn right(1);
  BOOST_TEST(distance_from_reference(right, {.batch = kBatch}) < kGradientTolerance);
  for (const ProductPass pass : {ProductPass::kForward, ProductPass::kWeightGradient}) {
    StandIn spoilt(1);
    spoilt.products.spoilt_pass = pass;
    BOOST_TEST(distance_from_reference(spoilt, {.batch = kBatch}) > 2 * kGradientTolerance);
  }
}

// The scale that a product multiplies with is of float16, too. Over the corner of a ReLU a rounding sends a gradient
// elsewhere, in so small a model a good part of it.
BOOST_AUTO_TEST_CASE(half_precision_with_extras_is_as_near_to_the_reference_as_without) {
  const auto distance_with = [](Extras extras) {
    StandIn stand_in(1);
    stand_in.products.extras = extras;
    return distance_from_reference(stand_in, {.batch = kBatch, .compute = ComputeType::kFloat16});
  };
  const double without = distance_with(Extras::kNone);
  BOOST_TEST(distance_with(Extras::kStatistics) < 1.25 * without);
  BOOST_TEST(distance_with(Extras::kAll) < 1.25 * without);
}

// Which of the passes a layer needs depends on what learns before it, in it and where its statistics come from.
BOOST_AUTO_TEST_CASE(frozen_parameters_and_fixed_norms_change_nothing_but_themselves) {
  const ModelGraph graph = resnet_blocks_model();
  std::mt19937 random(5);
  for (int round = 0; round < 24; ++round) {
    // Every second time nothing learns before some parameter.
    const std::size_t first_to_learn =
        round % 2 == 0 ? 0 : random() % (graph.parameters().size() / 2);
    Lowering lowering{.batch = kBatch,
                      .frozen_params = std::vector<bool>(graph.parameters().size()),
                      .fixed_norms = std::vector<bool>(graph.nodes().size())};
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
      const bool is_before = i < first_to_learn;
      lowering.frozen_params[i] =
          graph.parameters()[i].is_trainable && (is_before || random() % 2 == 0);
    }
    for (std::size_t id = 0; id < graph.nodes().size(); ++id) {
      lowering.fixed_norms[id] = random() % 3 == 0;
    }
    StandIn stand_in(1);
    BOOST_TEST_CONTEXT("round " << round) {
      BOOST_TEST(distance_from_reference(stand_in, lowering) < kGradientTolerance);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_convolution_says_whether_it_gives_statistics) {
  StandIn stand_in(1);
  stand_in.products.extras = Extras::kStatistics;
  BOOST_TEST(line_of(explained(stand_in, {.batch = 2}), "stem_conv")
                 .ends_with("plain loops / plain loops, extra: statistics"));
  stand_in.products.extras = Extras::kNone;
  BOOST_TEST(line_of(explained(stand_in, {.batch = 2}), "stem_conv")
                 .ends_with("plain loops / plain loops, extra statistics: none"));
}

BOOST_AUTO_TEST_CASE(a_norm_within_a_convolution_is_said_and_its_values_are_nowhere) {
  const ModelGraph graph = resnet_blocks_model();
  const auto program_of = [&](Extras extras) {
    StandIn stand_in(1);
    stand_in.products.extras = extras;
    return stand_in.backend()->lower(graph, {.batch = 2})->explain();
  };
  const std::string all = program_of(Extras::kAll);
  BOOST_TEST(line_of(all, "a1_bn") ==
             "a1_bn: float32, own NHWC kernels / plain loops / plain loops / plain loops, extra: "
             "batch_norm + relu + conv2d + statistics");
  BOOST_TEST(line_of(all, "a2") == "a2: with a1_bn");
  // What others read, too, is written: the convolution behind it gives statistics alone.
  BOOST_TEST(line_of(all, "b1").ends_with(", extra: statistics"));
  BOOST_TEST(line_of(program_of(Extras::kStatistics), "a2")
                 .ends_with(", extra: statistics, extra batch_norm + relu: none"));
}

// By hand: the values of three ReLUs are not kept, but twice as many numbers as they have channels.
BOOST_AUTO_TEST_CASE(normalised_values_within_a_convolution_are_not_kept) {
  const ModelGraph graph = resnet_blocks_model();
  const auto saved_bytes = [&](Extras extras) {
    StandIn stand_in(1);
    stand_in.products.extras = extras;
    const auto backend = stand_in.backend();
    const auto program = backend->lower(graph, {.batch = 2});
    std::size_t bytes = 0;
    for (const Buffer& buffer : program->buffers()) {
      if (buffer.role == Role::kSaved) bytes += buffer.bytes;
    }
    return bytes;
  };
  constexpr std::size_t kValues = 2 * (8 * 7 * 17 + 4 * 4 * 18 + 4 * 4 * 18);
  constexpr std::size_t kScales = 2 * (17 + 18 + 18);
  BOOST_TEST(saved_bytes(Extras::kStatistics) - saved_bytes(Extras::kAll) ==
             (kValues - kScales) * sizeof(float));
}

BOOST_AUTO_TEST_CASE(extras_are_asked_for_in_training_with_fusions_and_where_they_are_wanted) {
  StandIn stand_in(1);
  BOOST_TEST(!contains(explained(stand_in, {.batch = 2, .mode = Mode::kEvaluate}), "extra"));
  BOOST_TEST(!contains(explained(stand_in, {.batch = 2, .fuse = false}), "extra"));
  BOOST_TEST(!contains(explained(stand_in, {.batch = 2}, {.extras = false}), "extra"));
  BOOST_TEST(stand_in.products.num_extras == 0u);
  BOOST_TEST(contains(explained(stand_in, {.batch = 2}), "extra"));
  BOOST_TEST(stand_in.products.num_extras > 0u);
}

BOOST_AUTO_TEST_CASE(norms_that_take_running_statistics_ask_for_none) {
  const ModelGraph graph = resnet_blocks_model();
  StandIn stand_in(1);
  stand_in.products.extras = Extras::kStatistics;
  const auto program = stand_in.backend()->lower(
      graph, {.batch = 2, .fixed_norms = std::vector<bool>(graph.nodes().size(), true)});
  BOOST_TEST(!contains(program->explain(), "extra: statistics"));
}

BOOST_AUTO_TEST_CASE(what_is_computed_again_has_the_same_bits) {
  const ModelGraph graph = resnet_blocks_model();
  std::vector<bool> all(graph.nodes().size(), true);
  all[graph.input()] = all[graph.output()] = false;
  std::vector<bool> some = all;
  for (std::size_t id = 0; id < some.size(); id += 3) some[id] = false;
  const auto outcome_of = [&](const std::vector<bool>& recomputed) {
    StandIn stand_in(1);
    Bench bench(stand_in.backend(), graph, {{.batch = kBatch, .recomputed = recomputed}},
                kParameterSeed);
    for (unsigned step = 0; step < 3; ++step) {
      bench.step(bench.batch(kBatch, step), {.learning_rate = 0.05, .step = step});
    }
    std::vector<std::vector<float>> outcome;
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) outcome.push_back(bench.read(i));
    BOOST_TEST(stand_in.products.num_extras > 0u);
    return outcome;
  };
  const auto kept = outcome_of({});
  BOOST_TEST((outcome_of(all) == kept));
  BOOST_TEST((outcome_of(some) == kept));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
