// Trains and evaluates programs on batches from anywhere. Knows backends and batch sources, never
// where either keeps its memory.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>

#include "streamer/core/batch.h"
#include "train/loop/pass_report.h"
#include "train/loop/program_set.h"
#include "train/loop/sample_tally.h"
#include "train/optim/nan_guard.h"
#include "train/optim/optimizer_config.h"
#include "train/optim/schedule.h"

namespace penstock::train {

struct TrainerConfig {
  OptimizerConfig optimizer = {};
  ScheduleConfig schedule = {};
  /// Keys dropout.
  std::uint64_t seed = 0;
  /// Steps of the whole run: the schedule's length.
  std::uint64_t num_steps = 1;
  std::uint64_t steps_per_epoch = 1;
  /// When skipped steps end the run.
  NanGuardConfig nan_guard = {};
};

/// What a trainer has come to; a checkpoint stores it.
struct TrainerState {
  /// Steps taken in the whole run, skipped ones included.
  std::uint64_t num_steps = 0;
  /// The schedule's peak: OptimizerConfig::learning_rate until somebody lowers it.
  double peak_learning_rate = 0;
  NanGuardState nan_guard = {};

  bool operator==(const TrainerState&) const = default;
};

/// Where a pass reads from.
struct PassInput {
  BatchSource& source;
  /// Samples of a pass: those of the split, less the ones that it leaves out.
  std::uint64_t num_samples = 0;
  /// Samples of the split that each pass leaves out, so that its steps are all whole.
  std::uint64_t num_left_out = 0;
  /// Told after every step; may be null.
  PassObserver* observer = nullptr;
  /// A stop ends the pass between two steps, or drops the one under way between two of its parts or batches.
  /// A source that waits then may throw Stopped: that ends the pass too.
  std::stop_token stop = {};
  /// Training: ends after so many steps, in the middle of a pass over the data or beyond its end; 0 for one
  /// pass.
  std::uint64_t num_steps = 0;
  /// With num_steps: samples of the pass under way whose steps were taken, kept from one piece of the stream
  /// to the next.
  SampleTally* tally = nullptr;
  /// The part of the pass that was taken before, behind which the source goes on; is taken over. Null for a
  /// whole pass.
  PassStart* start = nullptr;
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

/// Takes steps on the batches of one epoch, up to the batch that ends it, or on a piece of a stream of
/// epochs. A step is one batch, or as many as the programs say; it is computed in parts where they say so. A
/// stop between two parts of one step, or two of its batches, drops that step: its gradients reach no update,
/// and the report is that before it.
///
/// A step whose loss or gradients are not finite is skipped: no weight changes, and its loss counts in no
/// mean.
///
/// Errors   those of the source, of the observer and of a run: a step under way is dropped, and the next call
///          finds weights, running statistics, state() and the tally as they were before it; InvalidArgument
///          when too many steps in a row were skipped; Internal when a pass that nobody stopped did not
///          deliver every sample of it once
/// Threads  one caller at a time
class Trainer {
 public:
  Trainer(ProgramSet& programs, const TrainerConfig& config);

  PassReport train_epoch(const PassInput& input);

  /// Whether the weights give nothing to go on with, though they may be numbers still: the newest steps were
  /// skipped, two or more in a row (one may be its batch's fault), or so many that the run ends.
  bool has_diverged() const noexcept;

  /// Between two steps.
  const TrainerState& state() const noexcept { return state_; }
  void restore(const TrainerState& state) { state_ = state; }
  /// From the next step on.
  void set_peak_learning_rate(double rate) { state_.peak_learning_rate = rate; }

 private:
  struct Pass;
  struct Step;
  enum class StepEnd : std::uint8_t { kDropped, kTaken, kEndsEpoch };

  StepEnd take_step(Pass& pass);
  bool add_batch(BatchLease lease, Step& step, Pass& pass);
  bool add_parts(std::uint32_t num_samples, StepScalars scalars, Step& step, Pass& pass);
  void update(Step& step, Pass& pass);
  void settle(Pass& pass);
  void collect_reports(Pass& pass);
  void collect_losses(Pass& pass);
  void note_update(const UpdateReport& update, Pass& pass);
  double learning_rate_of(std::uint64_t step_idx) const;

  ProgramSet& programs_;
  TrainerConfig config_;
  TrainerState state_;
};

/// Runs the evaluation program over one epoch; `scores` may be null.
///
/// Errors  as Trainer's
PassReport evaluate_epoch(ProgramSet& programs, const PassInput& input,
                          ScoreObserver* scores = nullptr);

}  // namespace penstock::train
