#include "train/backend/step_clock.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <variant>

#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/odd_models.h"
#include "tests/train/backend/training_bench.h"

namespace penstock::train {
namespace {

using Passes = std::set<std::pair<NodeId, LayerPass>>;

Passes passes_of(const std::vector<LayerTime>& times) {
  Passes passes;
  for (const LayerTime& time : times) passes.insert({time.node, time.pass});
  return passes;
}

/// Those of convolutions and dense layers that compute.
Passes weighted_passes(const ModelGraph& graph, const std::vector<LayerTime>& times) {
  Passes passes;
  for (const auto& [node, pass] : passes_of(times)) {
    if (node >= graph.nodes().size() || pass == LayerPass::kWeightCopy) continue;
    const Operation& op = graph.node(node).op;
    if (has_weight_matrix(op)) {
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

BOOST_AUTO_TEST_SUITE(step_clock)

BOOST_AUTO_TEST_CASE(every_layer_is_timed_in_each_of_its_passes) {
  ModelGraph graph("net", {.channels = 3, .height = 8, .width = 8});
  NodeId x = graph.conv2d("conv", graph.input(), {.filters = 16, .has_bias = false});
  x = graph.batch_norm("bn", x);
  x = graph.relu("relu", x);
  x = graph.global_avg_pool("pool", x);
  x = graph.dense("head", x, {.units = 4});
  graph.set_output(x);
  Bench bench(make_backend("onednn", {.num_threads = 1}), graph, {{.batch = 4}});
  const ToyBatch batch = bench.batch(4, 1);
  bench.step(batch, {.learning_rate = 0.1});
  const Passes passes = passes_of(timed_step(bench, batch));
  const NodeId conv = 1, bn = 2, pool = 4, head = 5;
  for (const NodeId node : {conv, bn, pool, head, kLossNode}) {
    BOOST_TEST(passes.contains({node, LayerPass::kForward}), node);
  }
  for (const NodeId node : {bn, pool, head, kLossNode}) {
    BOOST_TEST(passes.contains({node, LayerPass::kBackward}), node);
  }
  BOOST_TEST(!passes.contains({conv, LayerPass::kBackward}));  // nobody needs the pixels' gradient
  BOOST_TEST(passes.contains({conv, LayerPass::kWeightGradient}));
  BOOST_TEST(passes.contains({head, LayerPass::kWeightGradient}));
  BOOST_TEST(passes.contains({kAllNodes, LayerPass::kUpdate}));
}

BOOST_AUTO_TEST_CASE(times_add_up_over_steps_and_end_with_the_clock) {
  const ModelGraph graph = strided_model();
  Bench bench(make_backend("onednn", {.num_threads = 2}), graph, {{.batch = 4}});
  const ToyBatch batch = bench.batch(4, 1);
  BOOST_TEST(bench.program().stop_clock().empty());
  for (const LayerTime& time : timed_step(bench, batch)) BOOST_TEST(time.seconds > 0.0);
  BOOST_TEST(bench.program().stop_clock().empty());
  Bench reference(make_backend("reference", {}), graph, {{.batch = 4}});
  BOOST_TEST(timed_step(reference, reference.batch(4, 1)).empty());
}

BOOST_AUTO_TEST_CASE(the_bare_step_runs_the_passes_of_the_program_and_no_others) {
  for (const ModelGraph& graph : {strided_model(), residual_model(), resnet_blocks_model()}) {
    std::vector<bool> frozen(graph.parameters().size(), false);
    for (const bool is_first_frozen : {false, true}) {
      frozen.front() = is_first_frozen;
      const Lowering lowering{.batch = 4, .frozen_params = frozen};
      Bench bench(make_backend("onednn", {.num_threads = 2}), graph, {lowering});
      const auto bare = bench.backend().bare_step(graph, lowering);
      BOOST_REQUIRE(bare != nullptr);
      BOOST_TEST(bare->memory_bytes() > 0u);
      bare->run();
      const std::vector<LayerTime> times = timed_step(bench, bench.batch(4, 1));
      BOOST_TEST((passes_of(bare->times()) == weighted_passes(graph, times)),
                 graph.name() << ", frozen " << is_first_frozen);
      bare->reset_times();
      BOOST_TEST(bare->times().empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(the_reference_has_no_ceiling) {
  BOOST_TEST((make_backend("reference", {})->bare_step(strided_model(), {}) == nullptr));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
