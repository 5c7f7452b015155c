// Trains and evaluates programs on batches from anywhere. Knows backends and batch sources, never
// where either keeps its memory.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "streamer/core/batch.h"
#include "train/loop/pass_report.h"
#include "train/loop/program_set.h"
#include "train/loop/sample_tally.h"
#include "train/optim/optimizer_config.h"
#include "train/optim/schedule.h"

namespace penstock::train {

struct TrainerConfig {
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  /// Keys dropout.
  std::uint64_t seed = 0;
  /// Steps of the whole run: the schedule's length.
  std::uint64_t num_steps = 1;
  std::uint64_t steps_per_epoch = 1;
};

/// Where a pass reads from.
struct PassInput {
  BatchSource& source;
  /// Samples of the split.
  std::uint64_t num_samples = 0;
  /// Told after every step; may be null.
  PassObserver* observer = nullptr;
  /// The pass ends after the step under way when a stop is asked for. A source that waits then may
  /// throw Stopped: that ends the pass too.
  std::stop_token stop = {};
};

/// The scores of one evaluated batch, copied out of the backend.
///
/// Shapes  logits: [num_valid, num_classes]; class_idx, weights, sample_ids: [num_valid]
struct ScoredBatch {
  std::span<const float> logits;
  std::span<const std::uint32_t> class_idx;
  std::span<const float> weights;
  std::span<const std::uint64_t> sample_ids;
  std::uint32_t num_classes = 0;
};

/// Receives scores in the order of the batches.
class ScoreObserver {
 public:
  virtual ~ScoreObserver() = default;
  virtual void on_scores(const ScoredBatch& batch) = 0;
};

/// Takes steps on the batches of one epoch, up to the batch that ends it. A step is one batch, or as many as the
/// programs say; it is computed in parts where they say so. A stop between two batches of one step drops that
/// step: its gradients reach no update.
///
/// Errors   those of the source; InvalidArgument when the loss is no longer a number; Internal when
///          a pass that nobody stopped did not deliver every sample once
/// Threads  one caller at a time
class Trainer {
 public:
  Trainer(ProgramSet& programs, const TrainerConfig& config);

  PassReport train_epoch(const PassInput& input);

  /// Whether a loss or a gradient was no number: what the weights give is nothing to go on with, though they
  /// may be numbers still.
  bool has_diverged() const noexcept { return has_diverged_; }

 private:
  /// What the step under way has taken so far.
  struct OpenStep {
    std::uint32_t num_samples = 0;
    std::uint32_t num_runs = 0;
    double weight_sum = 0;
    Program* newest = nullptr;
  };

  void add_batch(BatchLease lease, PassReport& report);
  void add_parts(std::uint32_t num_samples, StepScalars scalars, PassReport& report);
  void update(PassReport& report);
  void drop_open_step();
  void collect_reports(PassReport& report);

  ProgramSet& programs_;
  TrainerConfig config_;
  std::uint64_t step_idx_ = 0;
  OpenStep step_;
  bool has_diverged_ = false;
};

/// Runs the evaluation program over one epoch; `scores` may be null.
///
/// Errors  as Trainer's
PassReport evaluate_epoch(ProgramSet& programs, const PassInput& input,
                          ScoreObserver* scores = nullptr);

}  // namespace penstock::train
