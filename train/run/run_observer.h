// Who is told what goes on in a training run.
#pragma once

#include <cstdint>
#include <string>

#include "streamer/core/batch.h"
#include "train/run/data/skipped_samples.h"
#include "train/run/epoch/epoch_report.h"
#include "train/run/run_overview.h"

namespace penstock::train {

/// Is told of a run, at least of what it overrides.
///
/// Errors   an exception ends the run. After a first step the weights so far are stored, and train_run() throws an
///          Error with its text; the run goes on from the checkpoint before, or from here for an Error of data,
///          disk or memory. A stop loses nothing
/// Threads  called on the thread that runs train_run(), which waits for every call
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  /// When everything is ready, before the first step.
  virtual void on_start(const RunOverview& /*overview*/) {}
  /// Before the step that takes a batch of the training split: its samples' ids and positions, its pixels as the
  /// network gets them. `batch` is valid during the call. A step that a stop drops is not told to
  /// on_train_step(); its batches come again when the run goes on.
  virtual void on_train_batch(const BatchView& /*batch*/) {}
  /// After every step.
  virtual void on_train_step(const EpochReport& /*so_far*/) {}
  virtual void on_validation_step(const EpochReport& /*train_done*/, const PassReport& /*so_far*/) {
  }
  /// When an epoch was trained, validated and stored.
  virtual void on_epoch(const EpochReport& /*report*/) {}
  /// After a validation within an epoch; `metrics` are its own.
  virtual void on_validation(const EpochReport& /*so_far*/, const MetricTable& /*metrics*/) {}
  /// When a sample is left out because its data failed, the first time only.
  virtual void on_skipped(const SkippedSample& /*sample*/) {}
  /// When a checkpoint is stored, as of so many steps of the run.
  virtual void on_checkpoint(std::uint64_t /*num_steps*/) {}
  /// A line of news after an epoch: a lowered learning rate, another verdict on learning.
  virtual void on_note(const std::string& /*line*/) {}
  /// When a step changed no weight, because its loss or gradients were not finite.
  virtual void on_skipped_step(const SkippedStep& /*step*/) {}
  /// What went wrong and did not end the run: a checkpoint that could not be stored. One line.
  virtual void on_warning(const std::string& /*text*/) {}
};

}  // namespace penstock::train
