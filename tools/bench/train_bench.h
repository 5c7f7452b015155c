// penstock bench train: a training step on a batch in memory, beside its convolutions run bare.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/rounds.h"
#include "train/backend/compute_type.h"
#include "train/graph/model_graph.h"

namespace penstock::tools::bench {

inline constexpr const char* kStepSideName = "training step";
inline constexpr const char* kBareSideName = "bare convolutions";

struct TrainBenchConfig {
  std::string backend = "onednn";  // as make_backend() takes it
  std::uint32_t batch_size = 32;
  train::ComputeType compute = train::ComputeType::kFloat32;  // the step and its ceiling
  std::uint32_t num_threads = 0;                              // 0: all cores
  std::uint32_t num_rounds = 9;
};

/// Of one step, mean over the rounds: on the clock, and of all threads together.
struct StageTime {
  double seconds = 0;
  double cpu_seconds = 0;

  StageTime& operator+=(const StageTime& other) {
    seconds += other.seconds;
    cpu_seconds += other.cpu_seconds;
    return *this;
  }
};

/// One node, or several that became one layer and have the name of the first.
struct LayerCost {
  std::string name;
  std::string operation;
  StageTime forward = {};
  StageTime backward = {};
  StageTime copies = {};        // of its weights, into other layouts
  StageTime bare_forward = {};  // of convolutions and dense layers, as the two below
  StageTime bare_backward = {};
  double flops = 0;  // of a step, forward and backward
  bool is_weighted = false;
};

/// What was planned before the first step, beside what the kernel counted; of a backend with a device of its own,
/// what is held there, which nothing is planned for but the arena.
struct MemoryForecast {
  /// What the arena, and the process, may differ by from what was forecast.
  static constexpr double kArenaBound = 0.03;
  static constexpr double kProcessBound = 0.10;
  /// Below it the library's own part, of which the forecast has a fit and no plan, counts too much.
  static constexpr std::uint64_t kLeastBytes = 64u << 20;

  std::uint64_t arena_bytes = 0;       // planned
  std::uint64_t arena_held_bytes = 0;  // resident when it was made
  std::uint64_t process_bytes = 0;     // planned: arena, batch, initial values or the library's own
  std::uint64_t peak_bytes = 0;  // of the process with the step alone, above what it held before
  bool is_of_device = false;

  /// Nothing for a step too small to tell.
  std::optional<bool> is_met() const;
};

struct TrainBenchResult {
  std::string model;
  train::TensorShape input;
  std::uint32_t num_classes = 0;
  std::uint32_t batch_size = 0;
  train::ComputeType compute = train::ComputeType::kFloat32;
  std::uint32_t num_rounds = 0;
  std::uint32_t num_steps = 0;  // of a round
  std::string backend;
  double start_s = 0;  // from the graph to the end of the first step
  MemoryForecast memory = {};
  std::uint64_t bare_bytes = 0;  // of the ceiling
  /// Why there is no ceiling: its memory did not fit beside the step's. Then operations are not counted either.
  std::string ceiling_absence = {};
  std::vector<SideResult> sides = {};  // a sample is a picture
  std::vector<LayerCost> layers = {};  // in the order of the graph, the loss last
  StageTime update = {};               // the optimizer
  std::string explanation = {};        // Program::explain()
};

/// Measures the step of the default optimizer in rounds with its ceiling, then layer by layer. Where memory runs out
/// as the ceiling is made, the step alone.
///
/// Errors  those of the model and of the backend, Unsupported for what this machine cannot compute in;
///         OutOfMemory
TrainBenchResult bench_train(const train::ModelGraph& graph, const TrainBenchConfig& config);

std::string train_bench_text(const TrainBenchResult& result);
std::string train_bench_json(const TrainBenchResult& result);

}  // namespace penstock::tools::bench
