// What a run leaves in RUN while its epochs go on: weights and their record, metrics, skipped samples and
// checkpoints. Knows what of it the run is ahead of, not how epochs come about.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "streamer/core/error.h"
#include "train/loop/trainer.h"
#include "train/run/epoch/epoch_judge.h"
#include "train/run/epoch/metrics_log.h"
#include "train/run/folder/run_folder.h"
#include "train/run/run_before.h"
#include "train/run/run_checkpoints.h"
#include "train/run/run_observer.h"
#include "train/run/run_progress.h"
#include "train/run/run_setup.h"

namespace penstock::train {

/// The parts of a run that are stored. They outlive the storage.
struct StoredParts {
  RunSetup& setup;
  const Trainer& trainer;
  const EpochJudge& judge;
  RunBefore& before;
};

/// What an epoch that was done in full means for what is stored.
struct EpochNews {
  bool is_best = false;            // by early stopping: these weights are those to keep
  bool is_checkpoint_due = false;  // by the clock
};

/// Order of use  open() before all else; after that, what has come to pass is noted before it is stored
/// Threads       that of the session
class RunStorage {
 public:
  /// `clock` is told of checkpoints, `observer` of what could not be stored and ends no run.
  RunStorage(const StoredParts& parts, CheckpointClock& clock, RunObserver& observer);

  /// Makes RUN, or opens that of a run that goes on, which is `progress` far. RUN is removed in the end when
  /// nothing was worth keeping. Returns what there is to say of what lay there, mostly nothing.
  std::string open(std::vector<MetricName> metrics, const RunProgress& progress);

  void note_train_pass_start() noexcept { are_weights_proven_ = false; }
  void note_step() noexcept {
    has_unstored_steps_ = has_partial_steps_ = has_unsaved_progress_ = true;
  }
  void note_train_pass_end() noexcept { has_partial_steps_ = false; }
  /// The record beside the weights lacks a validation that comes now.
  void note_validation_left() noexcept { has_unstored_steps_ = true; }
  /// A validation at the end of an epoch found the scores to be numbers.
  void note_validated() noexcept { are_weights_proven_ = true; }
  /// The line of a validation, within an epoch or at its end. Stored with the next of the below.
  void note_validation(const EpochReport& epoch, const MetricTable& metrics);

  /// Stores what there is of an epoch that was done in full. A full disk ends no run: what it refused is stored
  /// with the next epoch, the weights of a best one out of their checkpoint; with the last epoch it must be.
  /// A checkpoint is stored when one is due, with the best epoch so far, and before the first weights.
  void store_epoch(const EpochReport& report, const EpochNews& news, const RunProgress& progress);
  /// Of a validation within an epoch, whose end tries again.
  void store_log();
  /// A failure is told and no more: the checkpoints before stay, and the next one is tried when it is due.
  void store_checkpoint(const RunProgress& progress);
  /// Brings RUN up to date when the last epoch is done, or the run was stopped.
  void store_end(const RunProgress& progress, bool was_stopped);
  /// Stores what can be stored, and says in the error which weights are there.
  [[noreturn]] void end_by_error(const Error& error, const RunProgress& progress);

  bool has_weights() const noexcept { return stored_epochs_.has_value(); }
  /// The epoch of the weights that only better ones replace.
  std::optional<std::uint32_t> best_epoch_idx() const noexcept {
    return has_best_stored_ ? std::optional(*stored_epochs_ - 1) : std::nullopt;
  }
  /// Step from which the run can go on; nothing before the first checkpoint.
  std::optional<std::uint64_t> checkpoint_step() const;

 private:
  bool are_weights_doubtful() const {
    return parts_.trainer.has_diverged() && !are_weights_proven_;
  }
  void note_weights_there(const RunProgress& progress);
  bool holds_best_epoch(const RunProgress& progress) const;
  void store_epoch_weights(const EpochNews& news, const RunProgress& progress);
  void store_left_best();
  bool take_best_from_checkpoint();
  void store(const RunProgress& progress);
  std::string hint_of(const Error& error) const;
  void store_weights(const RunProgress& progress);
  void write_skipped(const RunProgress& progress);

  StoredParts parts_;
  RunObserver& observer_;
  RunCheckpoints checkpoints_;
  std::unique_ptr<RunFolder> folder_;
  std::unique_ptr<MetricsLog> log_;
  bool has_unsaved_progress_ = false;           // the run is ahead of its newest checkpoint
  bool has_unstored_steps_ = false;             // the weights are ahead of those on disk
  bool has_partial_steps_ = false;              // the weights are ahead of the last whole epoch
  bool has_best_stored_ = false;                // weights on disk that only better ones replace
  bool is_best_left_ = false;                   // those of the best epoch are not on disk
  bool are_weights_proven_ = false;             // a validation found their scores to be numbers
  std::optional<std::uint32_t> stored_epochs_;  // that the weights on disk have seen
};

}  // namespace penstock::train
