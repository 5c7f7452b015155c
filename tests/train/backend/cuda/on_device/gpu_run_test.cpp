// What a run needs of a device: the same bits captured or not and from run to run, memory as forecast, optimizers,
// losses as on the CPU, and going on after memory ran out. Where kernels run on the CPU, models are tiny.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "tests/train/backend/branched_models.h"
#include "tests/train/backend/cuda/on_device/device_under_test.h"
#include "tests/train/backend/cuda/on_device/json_number.h"
#include "tests/train/backend/training_bench.h"
#include "train/backend/cuda/device_handles.h"
#include "train/backend/onednn/onednn_backend.h"
#include "train/backend/reference/reference_backend.h"
#include "train/graph/model_zoo.h"

namespace penstock::train::cuda {
namespace {

using tests::DeviceUnderTest;
using tests::json_number;

constexpr std::uint64_t kParameterSeed = 4;

using Outcome = std::vector<std::vector<float>>;

struct NamedModel {
  ModelGraph graph;
  std::uint32_t batch;
};

struct Steps {
  unsigned count = 4;
  ComputeType compute = ComputeType::kFloat32;
  DeviceProgramOptions options{};
  std::string plans{};  // of an earlier run
};

struct Fixture {
  const DeviceUnderTest& device = DeviceUnderTest::get();

  /// small_cnn and resnet18, or what a CPU can step in a second.
  std::vector<NamedModel> models() const {
    if (device.is_stand_in()) return {{residual_model(), 6}};
    return {{build_model("small_cnn", {3, 64, 64}, 10), 32},
            {build_model("resnet18", {3, 64, 64}, 10), 16}};
  }
  std::vector<ComputeType> half_types() const {
    if (device.api().properties().compute_major < 8) return {ComputeType::kFloat16};
    return {ComputeType::kFloat16, ComputeType::kBfloat16, ComputeType::kTf32};
  }

  /// Weights, statistics and logits after some steps, nobody waiting between them.
  Outcome outcome_of(const NamedModel& model, const Steps& steps,
                     std::string* plans = nullptr) const {
    Bench bench(device.backend(steps.options, steps.plans), model.graph,
                {{.batch = model.batch, .compute = steps.compute}}, kParameterSeed);
    // The first scale of float16 is too large at first, and steps that are left out move nothing.
    if (steps.compute == ComputeType::kFloat16) {
      bench.program().import_loss_scaling({.scale = 256.0f});
    }
    std::vector<ToyBatch> batches;
    for (unsigned step = 0; step < steps.count; ++step) {
      batches.push_back(bench.batch(model.batch, step));
    }
    for (unsigned step = 0; step < steps.count; ++step) {
      Backend& backend = bench.backend();
      backend.upload(batches[step].lease(), step % 2);
      backend.set_scalars({.learning_rate = 0.05,
                           .inv_weight_sum = batches[step].inv_weight_sum(),
                           .step = step,
                           .seed = 9},
                          step % 2);
      for (const Phase phase : {Phase::kForward, Phase::kBackward, Phase::kUpdate}) {
        bench.program().run(phase, step % 2);
      }
      backend.release(step % 2);
    }
    Outcome outcome;
    for (std::size_t i = 0; i < model.graph.parameters().size(); ++i) {
      outcome.push_back(bench.read(i));
    }
    outcome.push_back(bench.logits());
    if (plans != nullptr) *plans = bench.backend().plans();
    return outcome;
  }

  static void expect_same(const Outcome& found, const Outcome& expected, const ModelGraph& graph) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const bool is_param = i < graph.parameters().size();
      BOOST_TEST((found[i] == expected[i]), (is_param ? graph.parameters()[i].name : "logits"));
    }
  }
};

BOOST_FIXTURE_TEST_SUITE(gpu_run, Fixture)

BOOST_AUTO_TEST_CASE(gradients_of_named_models_are_those_of_the_cpu) {
  if (!device.is_there("gradients_of_named_models_are_those_of_the_cpu")) return;
  for (const NamedModel& model : models()) {
    Bench gpu(device.backend(), model.graph, {{.batch = model.batch}}, kParameterSeed);
    Bench cpu(make_onednn_backend({}), model.graph, {{.batch = model.batch}}, kParameterSeed);
    const StepReport found = gpu.forward_and_backward(gpu.batch(model.batch, 1), {.seed = 9});
    const StepReport expected = cpu.forward_and_backward(cpu.batch(model.batch, 1), {.seed = 9});
    BOOST_TEST_CONTEXT(model.graph.name()) {
      BOOST_TEST(found.weighted_loss_sum == expected.weighted_loss_sum,
                 boost::test_tools::tolerance(1e-4));
      BOOST_TEST(relative_l2(gpu.logits(), cpu.logits()) < 1e-3);
      double worst = 0;
      std::string where;
      for (std::size_t i = 0; i < model.graph.parameters().size(); ++i) {
        const Parameter& parameter = model.graph.parameters()[i];
        // Behind a batch norm the gradient of a bias is nothing but rounding.
        if (!parameter.is_trainable || parameter.kind == ParamKind::kBias) continue;
        const double difference =
            relative_l2(gpu.read(i, ParamPart::kGrad), cpu.read(i, ParamPart::kGrad));
        // Each ReLU that rounding sends to the other side moves gradients: both are float32.
        BOOST_TEST(difference < 2e-2, parameter.name << ", gradient: " << difference);
        if (difference > worst) worst = difference, where = parameter.name;
      }
      std::cout << "FIGURES: {\"model\": \"" << model.graph.name()
                << "\", \"largest_gradient_difference\": " << json_number(worst) << ", \"of\": \""
                << where << "\"}" << std::endl;
    }
  }
}

/// Channels in eights, as cuDNN's extras want them, with a norm and a ReLU between two convolutions.
ModelGraph eights_model() {
  ModelGraph graph("eights", {3, 12, 12});
  NodeId x = graph.conv2d("stem", graph.input(), {.filters = 16, .has_bias = false});
  x = graph.relu("stem_relu", graph.batch_norm("stem_bn", x));
  x = graph.conv2d("conv1", x, {.filters = 24, .stride = {2, 2}, .has_bias = false});
  x = graph.relu("relu1", graph.batch_norm("bn1", x));
  x = graph.conv2d("conv2", x, {.filters = 16, .kernel = {1, 1}, .has_bias = false});
  x = graph.relu("relu2", graph.batch_norm("bn2", x));
  graph.set_output(graph.dense("head", graph.global_avg_pool("pool", x), {.units = 4}));
  return graph;
}

// Whether they are taken is for a trial to say; that what they compute is right, gpu_plans tests for each.
BOOST_AUTO_TEST_CASE(extras_change_nothing_but_roundings) {
  if (!device.is_there("extras_change_nothing_but_roundings")) return;
  const ModelGraph graph = eights_model();
  const Lowering lowering{.batch = 8, .compute = ComputeType::kFloat16};
  const PlanLimits timed{.is_deterministic = false};
  Bench with(device.backend({.plan_limits = timed}), graph, {lowering}, kParameterSeed);
  Bench without(device.backend({.plan_limits = timed, .extras = false}), graph, {lowering},
                kParameterSeed);
  BOOST_TEST(without.program().explain().find("extra") == std::string::npos);
  const bool takes_any = with.program().explain().find("extra: ") != std::string::npos;
  std::cout << "NOTE: " << (takes_any ? "extras are taken" : "no extra is taken") << std::endl;
  for (Bench* bench : {&with, &without}) {
    bench->forward_and_backward(bench->batch(8, 1), {.learning_rate = 0.05});
  }
  BOOST_TEST(relative_l2(with.logits(), without.logits()) < 1e-2);
  for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
    const Parameter& parameter = graph.parameters()[i];
    if (parameter.is_trainable) {
      // A ReLU that rounding sends to the other side moves gradients.
      BOOST_TEST(
          relative_l2(with.read(i, ParamPart::kGrad), without.read(i, ParamPart::kGrad)) < 0.1,
          parameter.name);
    } else {
      BOOST_TEST(relative_l2(with.read(i), without.read(i)) < 2e-3, parameter.name);
    }
  }
}

BOOST_AUTO_TEST_CASE(captured_work_gives_the_bits_of_call_by_call) {
  if (!device.is_there("captured_work_gives_the_bits_of_call_by_call")) return;
  std::vector<ComputeType> types = half_types();
  types.push_back(ComputeType::kFloat32);
  for (const NamedModel& model : models()) {
    for (const ComputeType compute : types) {
      BOOST_TEST_CONTEXT(model.graph.name() << ", " << compute_type_name(compute)) {
        std::string plans;
        const Outcome expected =
            outcome_of(model, {.compute = compute, .options = {.captures = false}}, &plans);
        expect_same(outcome_of(model, {.compute = compute, .plans = plans}), expected, model.graph);
      }
    }
  }
}

// Plans that trials choose need not give the same bits twice; extras are among them.
BOOST_AUTO_TEST_CASE(captured_work_of_plans_from_trials_moves_weights_as_call_by_call) {
  if (!device.is_there("captured_work_of_plans_from_trials_moves_weights_as_call_by_call")) return;
  const DeviceProgramOptions captured{.plan_limits = {.is_deterministic = false}};
  DeviceProgramOptions called = captured;
  called.captures = false;
  std::vector<NamedModel> all = models();
  all.push_back({eights_model(), 8});
  for (const NamedModel& model : all) {
    BOOST_TEST_CONTEXT(model.graph.name()) {
      constexpr auto kCompute = ComputeType::kFloat16;
      std::string plans;
      const Outcome expected = outcome_of(model, {.compute = kCompute, .options = called}, &plans);
      const Outcome first =
          outcome_of(model, {.count = 1, .compute = kCompute, .options = called, .plans = plans});
      const Outcome found =
          outcome_of(model, {.compute = kCompute, .options = captured, .plans = plans});
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const bool is_param = i < model.graph.parameters().size();
        // Behind a batch norm the gradient of a bias is nothing but rounding.
        if (is_param && model.graph.parameters()[i].kind == ParamKind::kBias) continue;
        // Beside what the later steps, which are the captured ones, changed.
        BOOST_TEST(relative_l2(found[i], expected[i]) <= 0.2 * relative_l2(first[i], expected[i]),
                   (is_param ? model.graph.parameters()[i].name : "logits"));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_run_with_its_stored_plans_gives_the_same_bits_twice) {
  if (!device.is_there("a_run_with_its_stored_plans_gives_the_same_bits_twice")) return;
  for (const NamedModel& model : models()) {
    BOOST_TEST_CONTEXT(model.graph.name()) {
      std::string plans;
      const Steps first{.count = 8, .options = {.plan_limits = {.is_deterministic = true}}};
      const Outcome expected = outcome_of(model, first, &plans);
      Steps second = first;
      second.plans = plans;
      expect_same(outcome_of(model, second), expected, model.graph);
      expect_same(outcome_of(model, first), expected, model.graph);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_arena_takes_the_memory_that_was_planned) {
  if (!device.is_there("the_arena_takes_the_memory_that_was_planned")) return;
  const ModelGraph graph =
      device.is_stand_in() ? residual_model() : build_model("resnet18", {3, 224, 224}, 1000);
  const std::uint32_t batch = device.is_stand_in() ? 6 : 64;
  auto backend = device.backend();
  Backend& on_device = *backend;
  // Signed: another process may give memory back meanwhile.
  const auto free_bytes = [&] { return static_cast<double>(on_device.device_room()->free_bytes); };
  const double free_at_first = free_bytes();
  const auto program = on_device.lower(graph, {.batch = batch});
  const std::vector<Program*> programs{program.get()};
  const MemoryPlan plan = plan_programs(programs);
  const double free_before = free_bytes();
  const BoundArena arena(on_device, programs, plan);
  const double free_after = free_bytes();
  initialize_params(*program, graph, kParameterSeed);
  const ToyBatch pixels(on_device.input_spec(graph, batch), graph.num_classes(), 1);
  for (unsigned step = 0; step < 3; ++step) {
    on_device.upload(pixels.lease(), 0);
    on_device.set_scalars({.learning_rate = 1e-3, .inv_weight_sum = 1.0f, .step = step}, 0);
    for (const Phase phase : {Phase::kForward, Phase::kBackward, Phase::kUpdate}) {
      program->run(phase, 0);
    }
    on_device.finish();
    on_device.release(0);
  }
  const double free_at_last = free_bytes();
  const auto planned = static_cast<double>(arena.size_bytes());
  const double taken = free_before - free_after;
  const double whole = free_at_first - free_at_last;
  std::cout << "FIGURES: {\"arena_planned_bytes\": " << json_number(planned)
            << ", \"arena_taken_bytes\": " << json_number(taken)
            << ", \"taken_by_all_bytes\": " << json_number(whole) << "}" << std::endl;
  BOOST_TEST(taken >= planned);
  BOOST_TEST(taken <= 1.03 * planned);
}

BOOST_AUTO_TEST_CASE(every_optimizer_moves_weights_as_the_reference_does) {
  if (!device.is_there("every_optimizer_moves_weights_as_the_reference_does")) return;
  const ModelGraph graph = residual_model();
  for (const std::string_view name : optimizer_names()) {
    OptimizerConfig plain = OptimizerConfig::of(parse_optimizer(name));
    plain.weight_decay = 1e-3;
    plain.epsilon = 1e-3;  // where a gradient is all rounding, a quotient of it must not decide
    OptimizerConfig other = plain;
    other.l1 = 1e-4;
    other.clip_norm = 0.3;
    other.ema_decay = 0.8;
    for (const OptimizerConfig& optimizer : {plain, other}) {
      Bench fast(device.backend(), graph, {{.batch = 6, .optimizer = optimizer}}, kParameterSeed);
      Bench slow(make_reference_backend({}), graph, {{.batch = 6, .optimizer = optimizer}},
                 kParameterSeed);
      for (unsigned step = 0; step < 4; ++step) {
        const StepScalars scalars{.learning_rate = 0.01, .step = step, .seed = 9};
        fast.forward_and_backward(fast.batch(6, step), scalars);
        slow.forward_and_backward(slow.batch(6, step), scalars);
        const UpdateReport found = fast.update();
        const UpdateReport expected = slow.update();
        BOOST_TEST_CONTEXT(name << ", step " << step) {
          BOOST_TEST(found.gradient_norm == expected.gradient_norm,
                     boost::test_tools::tolerance(1e-3));
          for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
            if (!graph.parameters()[i].is_trainable) continue;
            BOOST_TEST(relative_l2(fast.read(i), slow.read(i)) < 1e-3, graph.parameters()[i].name);
            if (optimizer.ema_decay == 0) continue;
            BOOST_TEST(
                relative_l2(fast.read(i, ParamPart::kEma), slow.read(i, ParamPart::kEma)) < 1e-3,
                graph.parameters()[i].name << ", mean");
          }
        }
      }
    }
  }
}

/// Losses of steps over a few batches again and again.
std::vector<double> curve_of(Bench& bench, std::uint32_t batch_size, unsigned num_steps) {
  constexpr unsigned kNumBatches = 4;
  std::vector<double> losses;
  for (unsigned step = 0; step < num_steps; ++step) {
    const ToyBatch batch = bench.batch(batch_size, step % kNumBatches);
    const StepReport report = bench.step(batch, {.learning_rate = 0.02, .step = step, .seed = 9});
    losses.push_back(report.weighted_loss_sum / report.weight_sum);
  }
  return losses;
}

std::string text_of(const std::vector<double>& losses) {
  std::string text;
  for (const double loss : losses) text += (text.empty() ? "" : ", ") + json_number(loss);
  return "[" + text + "]";
}

BOOST_AUTO_TEST_CASE(losses_fall_as_on_the_cpu) {
  if (!device.is_there("losses_fall_as_on_the_cpu")) return;
  const NamedModel model = models().front();
  const unsigned num_steps = device.is_stand_in() ? 12 : 60;
  Bench cpu(make_onednn_backend({}), model.graph, {{.batch = model.batch}}, kParameterSeed);
  const std::vector<double> expected = curve_of(cpu, model.batch, num_steps);
  std::cout << "FIGURES: {\"device\": \"cpu\", \"losses\": " << text_of(expected) << "}"
            << std::endl;
  std::vector<std::pair<ComputeType, double>> types{{ComputeType::kFloat32, 1e-3}};
  for (const ComputeType compute : half_types()) types.emplace_back(compute, 0.05);
  for (const auto& [compute, bound] : types) {
    Bench gpu(device.backend(), model.graph, {{.batch = model.batch, .compute = compute}},
              kParameterSeed);
    // The first scale of float16 is too large at first, and steps that are left out have no like on the CPU.
    gpu.program().import_loss_scaling({.scale = compute == ComputeType::kFloat16 ? 256.0f : 1.0f});
    const std::vector<double> found = curve_of(gpu, model.batch, num_steps);
    std::cout << "FIGURES: {\"device\": \"cuda\", \"compute\": \"" << compute_type_name(compute)
              << "\", \"losses\": " << text_of(found) << "}" << std::endl;
    BOOST_TEST_CONTEXT(compute_type_name(compute)) {
      // Paths part in time, by rounding alone: near at first, as low at the end.
      for (unsigned step = 0; step < 5; ++step) {
        BOOST_TEST(std::abs(found[step] - expected[step]) < bound, "step " << step);
      }
      const auto last = [&](const std::vector<double>& losses) {
        double sum = 0;
        for (unsigned i = 0; i < 4; ++i) sum += losses[losses.size() - 1 - i] / 4;
        return sum;
      };
      BOOST_TEST(last(found) < 0.8 * found.front());
      BOOST_TEST(std::abs(last(found) - last(expected)) < 0.15);
    }
  }
}

BOOST_AUTO_TEST_CASE(after_memory_ran_out_a_smaller_batch_goes_on) {
  if (!device.is_there("after_memory_ran_out_a_smaller_batch_goes_on")) return;
  const ModelGraph graph = residual_model();
  constexpr std::size_t kLeft = std::size_t{48} << 20;
  std::size_t free_bytes = 0, total_bytes = 0;
  check_device(device.api().memory_info(&free_bytes, &total_bytes));
  UniqueDeviceBytes taken = allocate_on_device(device.api(), free_bytes - kLeft);
  BOOST_CHECK_EXCEPTION(Bench(device.backend(), graph, {{.batch = 65536}}, kParameterSeed), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kOutOfMemory; });
  Bench small(device.backend(), graph, {{.batch = 6}}, kParameterSeed);
  const StepReport report = small.step(small.batch(6, 1), {.learning_rate = 0.05});
  BOOST_TEST(report.is_finite);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train::cuda
