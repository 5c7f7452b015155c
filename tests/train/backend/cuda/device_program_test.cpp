// What a program of a device promises beside its numbers: the same bits in any order of streams, captured or not;
// nothing allocated and nothing waited for within a step; bad steps that leave nothing behind.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/cuda/stand_in/stand_in_backend.h"
#include "tests/train/backend/doubled_steps.h"
#include "tests/train/backend/training_bench.h"
#include "train/backend/reference/reference_backend.h"

namespace penstock::train::cuda {
namespace {

using penstock::tests::StandIn;

constexpr std::uint32_t kBatch = 6;
/// No value of the models' first steps lies on a corner of a ReLU with it.
constexpr std::uint64_t kParameterSeed = 4;

/// All parameters, statistics and logits after some steps.
using Outcome = std::vector<std::vector<float>>;

struct Steps {
  std::uint64_t order_seed = 1;
  bool captures = true;
  bool ignores_waits = false;
  bool fails_captures = false;
  ComputeType compute = ComputeType::kFloat32;
  unsigned count = 4;
};

Outcome outcome_of(const ModelGraph& graph, const Steps& steps) {
  StandIn stand_in(steps.order_seed);
  Outcome outcome;
  {
    Bench bench(stand_in.backend({.captures = steps.captures}), graph,
                {{.batch = kBatch, .compute = steps.compute}}, kParameterSeed);
    stand_in.device.ignores_waits = steps.ignores_waits;
    stand_in.device.fails_captures = steps.fails_captures;
    std::vector<ToyBatch> batches;
    for (unsigned step = 0; step < steps.count; ++step) {
      batches.emplace_back(bench.backend().input_spec(graph, kBatch), graph.num_classes(), step);
    }
    for (unsigned step = 0; step < steps.count; ++step) {  // and nobody waits
      bench.backend().upload(batches[step].lease(), 0);
      bench.backend().set_scalars({.learning_rate = 0.05,
                                   .inv_weight_sum = batches[step].inv_weight_sum(),
                                   .step = step,
                                   .seed = 9},
                                  0);
      for (const Phase phase : {Phase::kForward, Phase::kBackward, Phase::kUpdate}) {
        bench.program().run(phase, 0);
      }
      bench.backend().release(0);
    }
    for (std::size_t i = 0; i < graph.parameters().size(); ++i) outcome.push_back(bench.read(i));
    outcome.push_back(bench.logits());
  }
  BOOST_TEST(stand_in.device.faults().empty());
  return outcome;
}

BOOST_AUTO_TEST_SUITE(device_program)

BOOST_AUTO_TEST_CASE(captured_work_gives_the_bits_of_call_by_call) {
  for (const ModelGraph& graph : {residual_model(), mobile_model()}) {
    BOOST_TEST_CONTEXT(graph.name()) {
      BOOST_TEST((outcome_of(graph, {.captures = true}) == outcome_of(graph, {.captures = false})));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_order_of_blocks_warps_and_streams_changes_no_bit) {
  const ModelGraph graph = residual_model();
  const Outcome first = outcome_of(graph, {.order_seed = 1});
  for (std::uint64_t seed = 2; seed < 12; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      BOOST_TEST((outcome_of(graph, {.order_seed = seed}) == first));
    }
  }
}

// A planted fault: without waits a step computes from a batch that has not come yet.
BOOST_AUTO_TEST_CASE(streams_that_wait_for_nothing_give_other_bits) {
  const ModelGraph graph = residual_model();
  const Outcome first = outcome_of(graph, {});
  int num_other = 0;
  for (std::uint64_t seed = 1; seed < 61; ++seed) {
    num_other += outcome_of(graph, {.order_seed = seed, .ignores_waits = true}) == first ? 0 : 1;
  }
  BOOST_TEST(num_other > 2);
}

BOOST_AUTO_TEST_CASE(where_nothing_can_be_captured_the_calls_are_made_one_by_one) {
  const ModelGraph graph = residual_model();
  BOOST_TEST((outcome_of(graph, {.fails_captures = true}) == outcome_of(graph, {})));
  StandIn stand_in(1);
  Bench bench(stand_in.backend(), graph, {{.batch = kBatch}}, kParameterSeed);
  stand_in.device.fails_captures = true;
  const ToyBatch batch = bench.batch(kBatch, 1);
  for (unsigned step = 0; step < 3; ++step) bench.step(batch, {.step = step});
  BOOST_TEST(stand_in.device.num_graph_launches() == 0u);
  BOOST_TEST(bench.program().explain().find("cudaErrorStreamCaptureInvalidated") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_step_allocates_nothing_and_is_three_launches_once_it_is_captured) {
  const ModelGraph graph = residual_model();
  StandIn stand_in(1);
  Bench bench(stand_in.backend(), graph, {{.batch = kBatch}}, kParameterSeed);
  const ToyBatch batch = bench.batch(kBatch, 1);
  std::uint64_t num_launches = 0;
  for (unsigned step = 0; step < 5; ++step) {
    stand_in.device.forbids_allocation = true;
    bench.forward_and_backward(batch, {.learning_rate = 0.05, .step = step});
    bench.update();
    stand_in.device.forbids_allocation = false;
    const std::uint64_t before = std::exchange(num_launches, stand_in.device.num_graph_launches());
    BOOST_TEST(num_launches - before == (step == 0 ? 0u : 3u), "step " << step);
  }
  BOOST_TEST(stand_in.device.num_captures() == 3u);
  BOOST_TEST(stand_in.device.faults().empty());
}

BOOST_AUTO_TEST_CASE(a_step_with_a_pixel_that_is_no_number_changes_nothing) {
  const ModelGraph graph = residual_model();
  StandIn stand_in(1);
  Bench bench(stand_in.backend(), graph, {{.batch = kBatch}}, kParameterSeed);
  ToyBatch batch = bench.batch(kBatch, 1);
  bench.forward_and_backward(batch, {.learning_rate = 0.05, .step = 0});
  BOOST_TEST(bench.update().is_finite);
  Outcome before;
  for (std::size_t i = 0; i < graph.parameters().size(); ++i) before.push_back(bench.read(i));
  batch.values()[7] = std::numeric_limits<float>::quiet_NaN();
  BOOST_TEST(!bench.forward_and_backward(batch, {.learning_rate = 0.05, .step = 1}).is_finite);
  BOOST_TEST(!bench.update().is_finite);
  for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
    BOOST_TEST(bench.read(i) == before[i], graph.parameters()[i].name);
  }
  std::vector<std::uint64_t> num_steps(graph.parameters().size());
  bench.program().export_num_steps(num_steps);
  BOOST_TEST(std::ranges::max(num_steps) == 1u);
}

BOOST_AUTO_TEST_CASE(gradients_of_several_ranks_are_summed_in_the_stream_before_the_update) {
  for (const bool accumulates : {false, true}) {
    BOOST_TEST_CONTEXT((accumulates ? "in parts" : "whole")) {
      StandIn stand_in(5);
      DoublingReducer reducer([&](void* stream, DoublingReducer::Work work) {
        BOOST_TEST(stream != nullptr);
        stand_in.device.enqueue(static_cast<Stream>(stream), std::move(work));
      });
      check_doubled_steps([&] { return stand_in.backend(); }, reducer, accumulates);
      BOOST_TEST(stand_in.device.faults().empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_third_batch_is_refused_while_two_are_filled) {
  const ModelGraph graph = residual_model();
  StandIn stand_in(1);
  Bench bench(stand_in.backend(), graph, {{.batch = kBatch}}, kParameterSeed);
  const ToyBatch batch = bench.batch(kBatch, 1);
  for (const std::uint32_t slot : {0u, 1u}) bench.backend().upload(batch.lease(), slot);
  BOOST_CHECK_EXCEPTION(bench.backend().upload(batch.lease(), 2), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument &&
           std::string(error.what()).find("two are filled") != std::string::npos;
  });
  bench.backend().release(0);
  bench.backend().upload(batch.lease(), 2);
}

BOOST_AUTO_TEST_CASE(a_dropped_step_puts_running_statistics_back) {
  const ModelGraph graph = residual_model();
  StandIn stand_in(1);
  Bench bench(stand_in.backend(), graph, {{.batch = kBatch}}, kParameterSeed);
  Outcome before;
  for (std::size_t i = 0; i < graph.parameters().size(); ++i) before.push_back(bench.read(i));
  bench.forward(bench.program(), bench.batch(kBatch, 1));
  bool has_moved = false;
  for (std::size_t i = 0; i < graph.parameters().size(); ++i)
    has_moved |= bench.read(i) != before[i];
  BOOST_TEST(has_moved);
  bench.program().run(Phase::kDrop, 0);
  for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
    BOOST_TEST(bench.read(i) == before[i], graph.parameters()[i].name);
  }
}

// Source  torch.amp.GradScaler: 65,536 at first, halved by a step that is not finite.
BOOST_AUTO_TEST_CASE(float16_scales_its_losses_and_halves_the_scale_when_gradients_overflow) {
  const ModelGraph graph = residual_model();
  StandIn stand_in(1);
  Bench bench(stand_in.backend(), graph, {{.batch = kBatch, .compute = ComputeType::kFloat16}},
              kParameterSeed);
  BOOST_TEST(bench.program().export_loss_scaling().scale == 65536.0f);
  bench.program().import_loss_scaling({.scale = 1e30f, .num_good_steps = 5});
  const ToyBatch batch(bench.backend().input_spec(graph, kBatch), graph.num_classes(), 1);
  bench.forward_and_backward(batch, {.learning_rate = 0.05});
  BOOST_TEST(!bench.update().is_finite);
  BOOST_TEST(bench.program().export_loss_scaling().scale == 0.5e30f);
  BOOST_TEST(bench.program().export_loss_scaling().num_good_steps == 0u);
  bench.program().import_loss_scaling({.scale = 1024.0f});
  bench.forward_and_backward(batch, {.learning_rate = 0.05});
  BOOST_TEST(bench.update().is_finite);
  BOOST_TEST(bench.program().export_loss_scaling().num_good_steps == 1u);
}

/// Without corners: over that of a ReLU a rounding sends a gradient elsewhere.
ModelGraph smooth_model() {
  ModelGraph graph("smooth", {3, 8, 8});
  NodeId x = graph.conv2d("stem", graph.input(), {.filters = 16});
  x = graph.activation("silu", graph.batch_norm("stem_norm", x), ActivationKind::kSilu);
  NodeId branch = graph.conv2d("conv", x, {.filters = 16});
  branch = graph.activation("gelu", graph.batch_norm("norm", branch), ActivationKind::kGelu);
  x = graph.add("sum", x, branch);
  graph.set_output(graph.dense("head", graph.global_avg_pool("pool", x), {.units = 3}));
  return graph;
}

BOOST_AUTO_TEST_CASE(half_precision_is_near_the_reference) {
  const ModelGraph graph = smooth_model();
  for (const auto& [compute, tolerance] :
       {std::pair{ComputeType::kFloat16, 5e-3}, std::pair{ComputeType::kBfloat16, 4e-2}}) {
    StandIn stand_in(1);
    Bench fast(stand_in.backend(), graph, {{.batch = kBatch, .compute = compute}}, kParameterSeed);
    Bench slow(make_reference_backend({}), graph, {{.batch = kBatch}}, kParameterSeed);
    const ToyBatch batch(fast.backend().input_spec(graph, kBatch), graph.num_classes(), 1);
    const StepReport found = fast.forward_and_backward(batch, {.step = 0});
    const StepReport expected = slow.forward_and_backward(slow.batch(kBatch, 1), {.step = 0});
    BOOST_TEST_CONTEXT(compute_type_name(compute)) {
      BOOST_TEST(found.weighted_loss_sum == expected.weighted_loss_sum,
                 boost::test_tools::tolerance(tolerance));
      BOOST_TEST(relative_l2(fast.logits(), slow.logits()) < tolerance);
      for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
        // Behind a batch norm the gradient of a bias is nothing but rounding.
        if (!graph.parameters()[i].is_trainable || graph.parameters()[i].kind == ParamKind::kBias) {
          continue;
        }
        BOOST_TEST(relative_l2(fast.read(i, ParamPart::kGrad), slow.read(i, ParamPart::kGrad)) <
                       2 * tolerance,
                   graph.parameters()[i].name);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(micro_batches_add_up_to_the_whole_batch) {
  ModelGraph graph("plain", {3, 6, 6});
  NodeId x = graph.conv2d("conv", graph.input(), {.filters = 8});
  x = graph.activation("act", x, ActivationKind::kSilu);
  x = graph.global_avg_pool("pool", x);
  graph.set_output(graph.dense("head", x, {.units = 3}));
  StandIn stand_in(1);
  Bench parts(stand_in.backend(), graph, {{.batch = 2, .lease_batch = kBatch, .accumulates = true}},
              kParameterSeed);
  Bench whole(make_reference_backend({}), graph, {{.batch = kBatch}}, kParameterSeed);
  const ToyBatch batch = parts.batch(kBatch, 1);
  Backend& backend = parts.backend();
  backend.upload(batch.lease(), 0);
  for (std::uint32_t part = 0; part < 3; ++part) {
    backend.set_scalars(
        {.learning_rate = 0.1, .inv_weight_sum = batch.inv_weight_sum(), .first_sample = 2 * part},
        0);
    parts.program().run(Phase::kForward, 0);
    parts.program().run(part == 0 ? Phase::kBackward : Phase::kBackwardAdd, 0);
  }
  whole.forward_and_backward(whole.batch(kBatch, 1), {.learning_rate = 0.1});
  for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
    BOOST_TEST(relative_l2(parts.read(i, ParamPart::kGrad), whole.read(i, ParamPart::kGrad)) < 1e-5,
               graph.parameters()[i].name);
  }
}

BOOST_AUTO_TEST_CASE(memory_that_runs_out_is_told_as_such) {
  const ModelGraph graph = residual_model();
  StandIn stand_in(1);
  stand_in.device.memory_bytes = 1000;
  BOOST_CHECK_EXCEPTION(Bench(stand_in.backend(), graph, {{.batch = kBatch}}), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kOutOfMemory; });
}

BOOST_AUTO_TEST_CASE(an_older_device_is_refused_what_it_has_not) {
  StandIn stand_in(1);
  stand_in.device.editable_properties().compute_major = 7;
  stand_in.device.editable_properties().compute_minor = 5;
  const auto backend = stand_in.backend();
  for (const ComputeType compute : {ComputeType::kBfloat16, ComputeType::kTf32}) {
    BOOST_CHECK_EXCEPTION(
        backend->lower(residual_model(), {.batch = 2, .compute = compute}), Error,
        [](const Error& error) {
          return error.code() == ErrorCode::kUnsupported &&
                 std::string(error.what()).ends_with("found Stand-in, compute capability 7.5");
        });
  }
  BOOST_TEST(backend->lower(residual_model(), {.batch = 2, .compute = ComputeType::kFloat16}) !=
             nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
