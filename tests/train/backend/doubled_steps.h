// Steps whose gradients a reducer doubles and whose scale is half, which must be plain steps to the bit.
#pragma once

#include <boost/test/unit_test.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "tests/train/backend/doubling_reducer.h"
#include "tests/train/backend/training_bench.h"

namespace penstock::train {

inline ModelGraph doubled_steps_model() {
  ModelGraph graph("doubled", {3, 6, 6});
  NodeId node = graph.conv2d("conv", graph.input(), {.filters = 4});
  node = graph.relu("relu", graph.batch_norm("norm", node));
  graph.set_output(graph.dense("dense", graph.global_avg_pool("pool", node), {.units = 3}));
  return graph;
}

using Weights = std::vector<std::vector<float>>;

/// Of two steps on batches of 4, in two parts where the lowering accumulates.
inline Weights weights_after_steps(std::unique_ptr<Backend> backend, const ModelGraph& graph,
                                   Lowering lowering, double gradient_scale) {
  constexpr std::uint32_t kBatch = 4;
  lowering.batch = lowering.accumulates ? kBatch / 2 : kBatch;
  lowering.lease_batch = kBatch;
  Bench bench(std::move(backend), graph, {lowering});
  for (unsigned step = 0; step < 2; ++step) {
    const ToyBatch batch = bench.batch(kBatch, step + 1);
    const auto scalars = [&](std::uint32_t first_sample) {
      return StepScalars{.learning_rate = 0.1,
                         .gradient_scale = gradient_scale,
                         .first_sample = first_sample,
                         .step = step};
    };
    bench.forward_and_backward(batch, scalars(0));
    if (lowering.accumulates) {
      bench.forward(bench.program(), batch, scalars(kBatch / 2));
      bench.program().run(Phase::kBackwardAdd, 0);
    }
    bench.update();
  }
  Weights weights;
  for (std::size_t i = 0; i < graph.parameters().size(); ++i) weights.push_back(bench.read(i));
  return weights;
}

inline void check_doubled_steps(const std::function<std::unique_ptr<Backend>()>& make,
                                DoublingReducer& reducer, bool accumulates) {
  const ModelGraph graph = doubled_steps_model();
  const Weights plain = weights_after_steps(make(), graph, {.accumulates = accumulates}, 1);
  const Weights reduced = weights_after_steps(
      make(), graph, {.accumulates = accumulates, .grad_reducer = &reducer}, 0.5);
  BOOST_TEST((reduced == plain));
  BOOST_REQUIRE(reducer.calls.size() == 2u);  // one for each update
  std::size_t num_learning = 0;
  for (const Parameter& parameter : graph.parameters()) {
    num_learning += parameter.is_trainable ? 1 : 0;
  }
  BOOST_REQUIRE(reducer.calls[0].size() == num_learning);
  for (std::size_t i = 0; i < num_learning; ++i) {
    BOOST_TEST(reducer.calls[0][i].values == reducer.calls[1][i].values);
    BOOST_TEST(reducer.calls[0][i].num_elements == reducer.calls[1][i].num_elements);
  }
}

}  // namespace penstock::train
