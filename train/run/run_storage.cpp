#include "train/run/run_storage.h"

#include <cerrno>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

#include "train/loop/model_weights.h"
#include "train/run/run_record.h"

namespace penstock::train {
namespace {

bool is_disk_full(const Error& error) {
  return error.code() == ErrorCode::kIo &&
         (error.os_error() == ENOSPC || error.os_error() == EDQUOT);
}

std::string whole_epochs(std::uint32_t count) {
  return std::to_string(count) + (count == 1 ? " whole epoch" : " whole epochs");
}

}  // namespace

RunStorage::RunStorage(const StoredParts& parts, CheckpointClock& clock, RunObserver& observer)
    : parts_(parts),
      observer_(observer),
      checkpoints_(parts.setup, clock,
                   parts.before.resume ? parts.before.resume->history() : CheckpointHistory{}) {}

void RunStorage::open(std::vector<MetricName> metrics, const RunProgress& progress) {
  const RunConfig& config = parts_.setup.config;
  RunBefore& before = parts_.before;
  MetricsLogConfig log{.folder = config.out, .metrics = std::move(metrics)};
  if (!before.lock) {
    folder_ = std::make_unique<RunFolder>(config);
    before.lock.emplace(config.out);
  } else {
    folder_ = std::make_unique<RunFolder>(config, *before.lock);
    if (before.resume) log.num_steps = before.resume->num_logged_steps();
    std::error_code ignored;
    const bool has_weights = std::filesystem::exists(config.out / kModelRecordName, ignored);
    if (has_weights) stored_epochs_ = progress.num_epochs;
    has_best_stored_ = has_weights && parts_.judge.keeps_best() && parts_.judge.best_epoch_idx();
    has_unstored_steps_ = !has_weights && parts_.trainer.state().num_steps > 0;
  }
  log_ = std::make_unique<MetricsLog>(std::move(log));
}

void RunStorage::note_validation(const EpochReport& epoch, const MetricTable& metrics) {
  log_->note_validation(epoch, *epoch.validation, metrics);
}

void RunStorage::store_epoch(const EpochReport& report, bool is_best, const RunProgress& progress) {
  has_unsaved_progress_ = true;
  log_->note_epoch(report);
  const bool keeps_best = parts_.judge.keeps_best();
  try {
    // Weights that may have diverged wait for a step or a validation that says otherwise.
    if (!are_weights_doubtful() && (is_best || !keeps_best)) {
      store_weights(progress);
      has_best_stored_ = keeps_best;
    }
    write_skipped(progress);
    log_->store();
  } catch (const Error& error) {
    const bool is_lost = is_best && keeps_best && has_unstored_steps_;
    const bool is_last = progress.num_epochs == parts_.setup.config.epochs;
    if (!is_disk_full(error) || is_lost || is_last) throw;
    observer_.on_warning(std::string(error.what()) + "; tried again after the next epoch");
  }
}

void RunStorage::store_log() {
  try {
    log_->store();
  } catch (const Error& error) {
    if (!is_disk_full(error)) throw;
    observer_.on_warning(std::string(error.what()) + "; tried again after the epoch");
  }
}

void RunStorage::store_checkpoint(const RunProgress& progress) {
  if (are_weights_doubtful()) return;
  LoopState loop{.trainer = parts_.trainer.state()};
  parts_.judge.save(loop);
  const std::string failure = checkpoints_.store(progress, loop);
  if (checkpoints_.newest_step() == loop.trainer.num_steps) {
    folder_->keep();
    has_unsaved_progress_ = false;
  }
  if (!failure.empty()) observer_.on_warning("checkpoint: " + failure);
}

void RunStorage::store_end(const RunProgress& progress, bool was_stopped) {
  if (has_unsaved_progress_) store_checkpoint(progress);
  if (was_stopped || has_unstored_steps_) store(progress);
  log_->store();
}

std::optional<std::uint64_t> RunStorage::checkpoint_step() const {
  if (checkpoints_.newest_step()) return checkpoints_.newest_step();
  if (parts_.before.resume) return parts_.before.resume->num_steps();
  return std::nullopt;
}

/// Before the first step there is nothing to bring up to date.
void RunStorage::store(const RunProgress& progress) {
  if (has_unstored_steps_ && !has_best_stored_) store_weights(progress);
  write_skipped(progress);
}

void RunStorage::write_skipped(const RunProgress& progress) {
  if (stored_epochs_ && !progress.skipped.list().empty()) folder_->write_skipped(progress.skipped);
}

void RunStorage::store_weights(const RunProgress& progress) {
  if (are_weights_doubtful()) {
    throw Error(ErrorCode::kInvalidArgument,
                "weights: expected a loss that is a number, found none with these");
  }
  const TensorFile weights{.tensors = export_weights(parts_.setup.programs->any_program()),
                           .metadata = {{"format", "penstock"}}};
  save_model(folder_->path(), model_record(parts_.setup, progress.num_epochs, progress.last),
             weights);
  folder_->keep();
  stored_epochs_ = progress.num_epochs;
  has_unstored_steps_ = false;
}

void RunStorage::end_by_error(const Error& error, const RunProgress& progress) {
  const std::string folder = folder_->path().native();
  const std::string since = has_partial_steps_ ? " and the steps since" : "";
  std::string failure;
  try {
    store(progress);
  } catch (const std::exception& second) {
    failure = second.what();
  }
  std::string message = error.what();
  if (has_best_stored_) {
    if (!failure.empty() && failure != error.what()) message += "; " + failure;
    message += "; the best weights, after " + whole_epochs(*stored_epochs_) + ", are in " + folder;
  } else if (has_unstored_steps_) {
    message += "; these weights were not stored (" + failure + ")";
    if (stored_epochs_) {
      message += "; those after " + whole_epochs(*stored_epochs_) + " are in " + folder;
    }
  } else if (stored_epochs_) {
    if (!failure.empty() && failure != error.what()) message += "; " + failure;
    message += "; the weights after " + whole_epochs(*stored_epochs_) + since + " are in " + folder;
  }
  throw Error(error.code(), message, error.hint());
}

}  // namespace penstock::train
