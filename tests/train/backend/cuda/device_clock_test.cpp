// Where the time of a device's step goes, and its products alone, on the stand-in.
#include <boost/test/unit_test.hpp>
#include <set>
#include <utility>

#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/cuda/stand_in/stand_in_backend.h"
#include "tests/train/backend/training_bench.h"

namespace penstock::train::cuda {
namespace {

using penstock::tests::StandIn;
using Passes = std::set<std::pair<NodeId, LayerPass>>;

constexpr std::uint32_t kBatch = 4;

Passes passes_of(const std::vector<LayerTime>& times) {
  Passes passes;
  for (const LayerTime& time : times) passes.insert({time.node, time.pass});
  return passes;
}

Passes weighted_passes(const ModelGraph& graph, const std::vector<LayerTime>& times) {
  Passes passes;
  for (const auto& [node, pass] : passes_of(times)) {
    if (node < graph.nodes().size() && has_weight_matrix(graph.node(node).op)) {
      passes.insert({node, pass});
    }
  }
  return passes;
}

std::vector<LayerTime> timed_step(Bench& bench, const ToyBatch& batch) {
  bench.program().start_clock();
  bench.step(batch, {.learning_rate = 0.1});
  return bench.program().stop_clock();
}

/// Without biases, whose gradients are no products.
ModelGraph plain_model() {
  ModelGraph graph("net", {.channels = 3, .height = 8, .width = 8});
  NodeId x = graph.conv2d("conv", graph.input(), {.filters = 8, .has_bias = false});
  x = graph.batch_norm("bn", x);
  x = graph.relu("relu", x);
  x = graph.conv2d("conv2", x, {.filters = 4, .has_bias = false});
  x = graph.global_avg_pool("pool", x);
  graph.set_output(graph.dense("head", x, {.units = 4, .has_bias = false}));
  return graph;
}

BOOST_AUTO_TEST_SUITE(device_clock)

BOOST_AUTO_TEST_CASE(every_layer_is_timed_in_each_of_its_passes_and_the_pixels_too) {
  const ModelGraph graph = plain_model();
  StandIn stand_in(1);
  Bench bench(stand_in.backend(), graph, {{.batch = kBatch}});
  const Passes passes = passes_of(timed_step(bench, bench.batch(kBatch, 1)));
  const NodeId input = 0, conv = 1, bn = 2, conv2 = 4, pool = 5, head = 6;
  for (const NodeId node : {input, conv, bn, conv2, pool, head, kLossNode}) {
    BOOST_TEST(passes.contains({node, LayerPass::kForward}), node);
  }
  for (const NodeId node : {bn, conv2, pool, head, kLossNode}) {
    BOOST_TEST(passes.contains({node, LayerPass::kBackward}), node);
  }
  BOOST_TEST(!passes.contains({conv, LayerPass::kBackward}));  // nobody needs the pixels' gradient
  BOOST_TEST(passes.contains({conv, LayerPass::kWeightGradient}));
  BOOST_TEST(passes.contains({kAllNodes, LayerPass::kUpdate}));
}

BOOST_AUTO_TEST_CASE(a_clock_changes_no_bit_and_ends_with_its_end) {
  const ModelGraph graph = residual_model();
  StandIn stand_in(1);
  Bench timed(stand_in.backend(), graph, {{.batch = kBatch}});
  std::vector<float> logits;
  for (unsigned step = 0; step < 4; ++step) {
    timed.program().start_clock();
    timed.step(timed.batch(kBatch, step), {.learning_rate = 0.1, .step = step});
    for (const LayerTime& time : timed.program().stop_clock()) BOOST_TEST(time.seconds > 0.0);
  }
  BOOST_TEST(stand_in.device.num_graph_launches() == 0u);
  logits = timed.logits();
  BOOST_TEST(timed.program().stop_clock().empty());
  Bench plain(stand_in.backend(), graph, {{.batch = kBatch}});
  for (unsigned step = 0; step < 4; ++step) {
    plain.step(plain.batch(kBatch, step), {.learning_rate = 0.1, .step = step});
  }
  BOOST_TEST(stand_in.device.num_graph_launches() > 0u);
  BOOST_TEST((plain.logits() == logits));
}

BOOST_AUTO_TEST_CASE(the_bare_step_runs_the_products_of_the_program_and_nothing_else) {
  for (const ModelGraph& graph : {plain_model(), resnet_blocks_model()}) {
    std::vector<bool> frozen(graph.parameters().size(), false);
    for (const bool is_first_frozen : {false, true}) {
      frozen.front() = is_first_frozen;
      const Lowering lowering{.batch = kBatch, .frozen_params = frozen};
      StandIn stand_in(1);
      Bench bench(stand_in.backend(), graph, {lowering});
      const auto bare = bench.backend().bare_step(graph, lowering);
      BOOST_REQUIRE(bare != nullptr);
      BOOST_TEST(bare->memory_bytes() > 0u);
      const std::uint64_t before = penstock::tests::num_host_launches();
      bare->run();
      bare->run();
      bare->run();
      BOOST_TEST(penstock::tests::num_host_launches() == before);  // no kernel of our own
      BOOST_TEST(stand_in.device.num_captures() == 1u);
      BOOST_TEST(bare->times().empty());
      bare->reset_times();
      bare->run();
      const Passes passes = passes_of(bare->times());
      Passes expected = weighted_passes(graph, timed_step(bench, bench.batch(kBatch, 1)));
      BOOST_TEST((passes == expected), graph.name() << ", frozen " << is_first_frozen);
      for (const LayerTime& time : bare->times()) BOOST_TEST(time.seconds > 0.0);
      BOOST_TEST(stand_in.device.faults().empty());
    }
  }
}

// The ceiling is what convolutions come to by themselves.
BOOST_AUTO_TEST_CASE(the_bare_step_asks_for_no_extras) {
  const ModelGraph graph = plain_model();
  const Lowering lowering{.batch = kBatch, .compute = ComputeType::kFloat16};
  StandIn stand_in(1);
  const auto backend = stand_in.backend();
  const auto bare = backend->bare_step(graph, lowering);
  BOOST_TEST(stand_in.products.num_extras == 0u);
  const auto program = backend->lower(graph, lowering);
  BOOST_TEST(stand_in.products.num_extras > 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
