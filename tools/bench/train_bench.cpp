#include "tools/bench/train_bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>

#include "streamer/core/error.h"
#include "tools/bench/process_memory.h"
#include "tools/bench/resident_step.h"
#include "train/backend/backend.h"
#include "train/graph/model_summary.h"

namespace penstock::tools::bench {
namespace {

using Clock = std::chrono::steady_clock;
using train::LayerPass;
using train::LayerTime;
using train::NodeId;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Steps of a round: about a quarter of a second, so that a round is long beside a clock's tick and short
/// beside what else goes on in the machine.
std::uint32_t steps_for(double step_s) {
  constexpr double kRoundSeconds = 0.25;
  return static_cast<std::uint32_t>(std::clamp(kRoundSeconds / step_s, 1.0, 1000.0));
}

RunTime run_bare(train::BareStep& bare, std::uint32_t num_steps) {
  const double cpu_before = process_cpu_seconds();
  const auto start = Clock::now();
  for (std::uint32_t i = 0; i < num_steps; ++i) bare.run();
  return {.seconds = seconds_since(start), .cpu_seconds = process_cpu_seconds() - cpu_before};
}

/// Times of both, step by step in turn: means over the rounds, by layer.
class LayerCosts {
 public:
  LayerCosts(const train::ModelGraph& graph, std::uint32_t batch)
      : graph_(graph), summary_(train::summarize(graph)), batch_(batch) {}

  void add_step(const std::vector<LayerTime>& times, std::uint32_t num_steps) {
    for (const LayerTime& time : times) {
      if (time.node == train::kAllNodes) {
        update_ += one_of(time, num_steps);
        continue;
      }
      LayerCost& cost = costs_[time.node];
      StageTime& stage = time.pass == LayerPass::kForward      ? cost.forward
                         : time.pass == LayerPass::kWeightCopy ? cost.copies
                                                               : cost.backward;
      stage += one_of(time, num_steps);
    }
  }

  void add_bare(const std::vector<LayerTime>& times, std::uint32_t num_steps) {
    for (const LayerTime& time : times) {
      LayerCost& cost = costs_[time.node];
      cost.is_weighted = true;
      cost.flops += forward_flops(time.node);
      (time.pass == LayerPass::kForward ? cost.bare_forward : cost.bare_backward) +=
          one_of(time, num_steps);
    }
  }

  StageTime update() const { return update_; }

  std::vector<LayerCost> layers() const {
    std::vector<LayerCost> layers;
    for (auto [node, cost] : costs_) {
      cost.name = node == train::kLossNode ? "loss" : graph_.node(node).name;
      cost.operation =
          node == train::kLossNode ? "loss" : train::operation_name(graph_.node(node).op);
      layers.push_back(std::move(cost));
    }
    return layers;
  }

 private:
  static StageTime one_of(const LayerTime& time, std::uint32_t num_steps) {
    return {time.seconds / num_steps, time.cpu_seconds / num_steps};
  }

  /// The forward pass of the whole batch; each of the two gradients takes as many.
  double forward_flops(NodeId node) const {
    const auto& name = graph_.node(node).name;
    const auto found = std::ranges::find(summary_.layers, name, &train::LayerSummary::name);
    check_internal(found != summary_.layers.end(), "a layer that the summary does not have");
    return static_cast<double>(found->forward_flops) * batch_;
  }

  const train::ModelGraph& graph_;
  train::ModelSummary summary_;
  std::uint32_t batch_;
  std::map<NodeId, LayerCost> costs_;  // the loss last
  StageTime update_;
};

/// `bare` may be null.
void measure_layers(ResidentStep& step, train::BareStep* bare, std::uint32_t num_rounds,
                    LayerCosts& costs) {
  if (bare != nullptr) bare->reset_times();
  step.program().start_clock();
  for (std::uint32_t i = 0; i < num_rounds; ++i) {
    step.take();
    if (bare != nullptr) bare->run();
  }
  costs.add_step(step.program().stop_clock(), num_rounds);
  if (bare != nullptr) costs.add_bare(bare->times(), num_rounds);
}

/// What oneDNN comes to hold outside of the arena: its own code, and what it makes for each layer with
/// weights. A fit: with it the forecasts of seven named models, small_cnn to densenet121, were 0 to 5 % below
/// what the process held (oneDNN 2.6, AVX-512 with AMX).
std::uint64_t library_bytes(const train::ModelGraph& graph) {
  constexpr std::uint64_t kOwnBytes = 6u << 20;
  constexpr std::uint64_t kLayerBytes = 128u << 10;
  const auto num_layers = std::ranges::count_if(
      graph.nodes(), [](const train::Node& node) { return train::has_weight_matrix(node.op); });
  return kOwnBytes + kLayerBytes * static_cast<std::uint64_t>(num_layers);
}

/// Initial values are drawn before the first pass makes the library's code.
std::uint64_t process_forecast(const ResidentStep& step, const train::ModelGraph& graph,
                               bool is_of_device) {
  if (is_of_device) return step.arena_bytes();
  return step.arena_bytes() + step.batch_bytes() +
         std::max(step.drawing_bytes(), library_bytes(graph));
}

/// What is held above what was; none where others gave memory back meanwhile.
std::uint64_t growth(std::uint64_t now, std::uint64_t before) {
  return now - std::min(now, before);
}

/// It lies beside the step, which is not to be lost for it: null, and the reason, where memory runs out.
std::unique_ptr<train::BareStep> ceiling_of(train::Backend& backend, const train::ModelGraph& graph,
                                            const train::Lowering& lowering, std::string& absence) {
  try {
    auto bare = backend.bare_step(graph, lowering);
    check_internal(bare != nullptr, "a backend without a ceiling");
    return bare;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kOutOfMemory) throw;
    absence = error.what();
    return nullptr;
  }
}

bool is_within(std::uint64_t found, std::uint64_t forecast, double bound) {
  const auto expected = static_cast<double>(forecast);
  return std::abs(static_cast<double>(found) - expected) <= bound * expected;
}

}  // namespace

std::optional<bool> MemoryForecast::is_met() const {
  if (process_bytes < kLeastBytes) return std::nullopt;
  return is_within(arena_held_bytes, arena_bytes, kArenaBound) &&
         is_within(peak_bytes, process_bytes, kProcessBound);
}

TrainBenchResult bench_train(const train::ModelGraph& graph, const TrainBenchConfig& config) {
  const std::uint64_t held_before = process_memory().resident_bytes;
  const auto start = Clock::now();
  const auto backend = train::make_backend(config.backend, {.num_threads = config.num_threads});
  const auto room_before = backend->device_room();
  const train::Lowering lowering{.batch = config.batch_size, .compute = config.compute};
  ResidentStep step(*backend, graph, lowering);
  step.take();
  TrainBenchResult result{
      .model = graph.name(),
      .input = graph.input_shape(),
      .num_classes = graph.num_classes(),
      .batch_size = config.batch_size,
      .compute = config.compute,
      .num_rounds = config.num_rounds,
      .backend = backend->description(),
      .start_s = seconds_since(start),
      .memory = {.arena_bytes = step.arena_bytes(),
                 .arena_held_bytes = step.arena_held_bytes(),
                 .process_bytes = process_forecast(step, graph, room_before.has_value()),
                 .is_of_device = room_before.has_value()}};
  step.take();  // on a GPU the second one is captured
  const RunTime third = step.take_timed(1);
  result.num_steps = steps_for(third.seconds);
  result.memory.peak_bytes =
      room_before ? growth(room_before->free_bytes, backend->device_room()->free_bytes)
                  : growth(process_memory().peak_bytes, held_before);

  const std::unique_ptr<train::BareStep> bare =
      ceiling_of(*backend, graph, lowering, result.ceiling_absence);
  const std::uint64_t num_samples = std::uint64_t{config.batch_size} * result.num_steps;
  std::vector<Side> sides;
  if (bare != nullptr) {
    result.bare_bytes = bare->memory_bytes();
    sides.push_back({.name = kBareSideName, .num_samples = num_samples, .run = [&] {
                       return run_bare(*bare, result.num_steps);
                     }});
  }
  sides.push_back({.name = kStepSideName,
                   .ceiling = bare != nullptr ? kBareSideName : "",
                   .num_samples = num_samples,
                   .run = [&] { return step.take_timed(result.num_steps); }});
  result.sides = run_rounds(sides, config.num_rounds);
  LayerCosts costs(graph, config.batch_size);
  measure_layers(step, bare.get(), std::max(config.num_rounds, 3u), costs);
  result.layers = costs.layers();
  result.update = costs.update();
  result.explanation = step.program().explain();
  return result;
}

}  // namespace penstock::tools::bench
