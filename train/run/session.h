// A training run from end to end: dataset in, folder with weights out. Tells an observer what goes
// on and prints nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "streamer/read/cache_stats.h"
#include "train/run/epoch/epoch_report.h"
#include "train/run/run_observer.h"
#include "train/run/run_start.h"
#include "train/run/settings/run_config.h"

namespace penstock::train {

struct RunOutcome {
  /// Epochs whose training pass was done in full.
  std::uint32_t num_epochs = 0;
  /// Ended early by the stop token or by max_time; the weights of that moment are stored, and a checkpoint.
  bool was_stopped = false;
  /// It was max_time.
  bool ran_out_of_time = false;
  /// Steps taken, those of earlier processes included.
  std::uint64_t num_steps = 0;
  /// Step from which the run can go on; nothing before the first checkpoint.
  std::optional<std::uint64_t> checkpoint_step = {};
  /// False: the stop came while memory was drawn and programs were made. RUN is as it was, and of what it has
  /// only epochs and steps are said here.
  bool was_set_up = true;
  /// RUN is there. It is not when a stop came before the first step.
  bool has_weights = false;
  /// The last epoch done in full, its validation included; none before the first.
  std::optional<EpochReport> last = {};
  /// The epoch that the stop cut short, when it had taken a step: in training, or in validation
  /// when its training pass was done.
  std::optional<EpochReport> partial = {};
  /// Why the run ended before its last epoch, when it was neither stopped nor failed; else empty.
  std::string end_reason = {};
  /// With early_stopping.restore_best_weights: the epoch of the weights that are stored.
  std::optional<std::uint32_t> best_epoch_idx = {};
  /// What the losses say about the learning; empty when there is nothing to say.
  std::string learning_verdict = {};
  std::uint64_t high_water_bytes = 0;
  /// What the training passes waited for, in words (streamer/pipeline/loader_stats.h); empty when no batch was
  /// taken, as by a run that was finished before.
  std::string loader_verdict = {};
  /// Of the training loader; zeros without one.
  CacheStats cache = {};
};

/// Trains and stores RUN/{run.toml, weights.safetensors, model.json, metrics.csv, metrics.jsonl}, each whole,
/// skipped.csv when samples were left out, and checkpoints as often as the settings say and at the end.
/// Weights are stored after every epoch; with early_stopping.restore_best_weights after every one that is
/// better than those before.
///
/// Stop    the step under way is finished; a checkpoint is stored, and the weights unless those of a best
///         epoch are
/// Resume  bit for bit what the unbroken run would have come to, unless the overview's notes say otherwise
/// Errors  AlreadyExists when RUN is there; OutOfMemory with the table of what was taken; those of
///         dataset, model and loader. Whatever ends the run after a first step, the weights so far
///         are kept unless they are no numbers; the message says which. Before that RUN is removed.
///         A checkpoint that cannot be stored is a warning: those before it stay. A run that may not go
///         on from its checkpoint: InvalidArgument with what differs; one whose checkpoints are all
///         damaged: CorruptData.
/// Threads returns when the run has ended; the observer is called on the caller's thread, a stop may be asked
///         for on any
RunOutcome train_run(const RunConfig& config, RunObserver& observer, const std::stop_token& stop,
                     RunStart start = RunStart::kNew);

}  // namespace penstock::train
