#include "train/run/run_storage.h"

#include <cerrno>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

#include "train/loop/checkpoint_tensors.h"
#include "train/loop/model_weights.h"
#include "train/run/run_record.h"
#include "train/store/checkpoint_reader.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

constexpr const char* kDivergedHint = "train again with a lower --learning-rate";

bool is_disk_full(const Error& error) {
  return error.code() == ErrorCode::kIo &&
         (error.os_error() == ENOSPC || error.os_error() == EDQUOT);
}

/// Where a file may not grow, for whichever reason, and what to do about it; empty for other errors.
std::string room_hint(const Error& error) {
  if (is_disk_full(error)) return "free some space, or choose another folder with -o";
  const bool is_limited = error.code() == ErrorCode::kIo && error.os_error() == EFBIG;
  if (!is_limited) return {};
  return "raise the limit on the size of a file (ulimit -f unlimited), or choose a folder on "
         "another file system with -o";
}

/// What is damaged is worth as much as what is not there.
bool is_as_none(const Error& error) {
  return error.code() == ErrorCode::kNotFound || error.code() == ErrorCode::kCorruptData;
}

/// Epochs that the weights in a folder have seen; nothing where there are none that are whole.
std::optional<std::uint32_t> stored_epochs(const std::filesystem::path& folder) {
  try {
    return static_cast<std::uint32_t>(load_model_record(folder).num_epochs);
  } catch (const Error& error) {
    if (!is_as_none(error)) throw;
    return std::nullopt;
  }
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

std::string RunStorage::open(std::vector<MetricName> metrics, const RunProgress& progress) try {
  const RunConfig& config = parts_.setup.config;
  RunBefore& before = parts_.before;
  MetricsLogConfig log{.folder = config.out, .metrics = std::move(metrics)};
  if (!before.lock) {
    folder_ = std::make_unique<RunFolder>(config);
    before.lock.emplace(config.out);
  } else {
    folder_ = std::make_unique<RunFolder>(config, *before.lock);
    if (before.resume) {
      log.num_epochs = progress.num_whole_epochs();
      log.num_steps = before.resume->num_logged_steps();
    }
    note_weights_there(progress);
  }
  log_ = std::make_unique<MetricsLog>(std::move(log));
  if (log_->old_table_name().empty()) return {};
  return "metrics.csv had other columns than this program writes: it is " + log_->old_table_name() +
         " now";
} catch (const Error& error) {
  const std::string hint = room_hint(error);
  if (hint.empty()) throw;
  throw Error(error.code(), error.what(), hint, error.os_error());
}

/// A run that was killed may have left a checkpoint that is ahead of the weights.
void RunStorage::note_weights_there(const RunProgress& progress) {
  stored_epochs_ = stored_epochs(folder_->path());
  const bool has_all = stored_epochs_ && *stored_epochs_ >= progress.num_whole_epochs();
  has_unstored_steps_ = !has_all && parts_.trainer.state().num_steps > 0;
  const auto best_idx = parts_.judge.best_epoch_idx();
  if (!parts_.judge.keeps_best() || !best_idx) return;
  has_best_stored_ = stored_epochs_.has_value() && *stored_epochs_ > 0;
  is_best_left_ = stored_epochs_ != *best_idx + 1;
}

void RunStorage::note_validation(const EpochReport& epoch, const MetricTable& metrics) {
  has_unsaved_progress_ = true;
  log_->note_validation(epoch, *epoch.validation, metrics);
}

void RunStorage::store_epoch(const EpochReport& report, const EpochNews& news,
                             const RunProgress& progress) {
  has_unsaved_progress_ = true;
  log_->note_epoch(report);
  // Killed between the two, a run goes on from a checkpoint without weights, and not the other way round.
  const bool is_first = !checkpoint_step();
  if (is_first) {
    store_log();
    store_checkpoint(progress);
  }
  try {
    store_epoch_weights(news, progress);
    write_skipped(progress);
    log_->store();
  } catch (const Error& error) {
    const bool is_last = progress.num_epochs == parts_.setup.config.epochs;
    if (!is_disk_full(error) || is_last) throw;
    observer_.on_warning(std::string(error.what()) + "; tried again after the next epoch");
  }
  if (!is_first && (news.is_checkpoint_due || holds_best_epoch(progress))) {
    store_checkpoint(progress);
  }
}

bool RunStorage::holds_best_epoch(const RunProgress& progress) const {
  LoopState loop;
  parts_.judge.save(loop);
  return checkpoints_.would_be_best(progress, loop);
}

/// Weights that may have diverged wait for a step or a validation that says otherwise.
void RunStorage::store_epoch_weights(const EpochNews& news, const RunProgress& progress) {
  if (!parts_.judge.keeps_best()) {
    if (!are_weights_doubtful()) store_weights(progress);
    return;
  }
  if (news.is_best && !are_weights_doubtful()) {
    is_best_left_ = true;
    store_weights(progress);
    has_best_stored_ = true;
    is_best_left_ = false;
  }
  store_left_best();
}

/// Those that a full disk refused after an earlier epoch.
void RunStorage::store_left_best() {
  if (!is_best_left_) return;
  if (take_best_from_checkpoint()) {
    has_best_stored_ = true;
  } else {
    observer_.on_warning("weights: those of the best epoch, " +
                         std::to_string(*parts_.judge.best_epoch_idx() + 1) +
                         ", could not be stored, and no checkpoint holds them");
  }
  is_best_left_ = false;
}

bool RunStorage::take_best_from_checkpoint() try {
  const auto& best = checkpoints_.best();
  if (!best || best->epoch_idx != parts_.judge.best_epoch_idx()) return false;
  const CheckpointReader checkpoint =
      CheckpointReader::open(folder_->path() / kCheckpointsName / best->checkpoint);
  const RunProgress then = read_progress(
      checkpoint.state().parts, [](std::string_view) { return nullptr; },
      checkpoint.path().native());
  save_model(folder_->path(), model_record(parts_.setup, then.num_epochs, then.last),
             weights_source(checkpoint));
  folder_->keep();
  stored_epochs_ = then.num_epochs;
  return true;
} catch (const Error& error) {
  if (!is_as_none(error)) throw;
  return false;
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
    observer_.on_checkpoint(loop.trainer.num_steps);
  }
  if (!failure.empty()) observer_.on_warning("checkpoint: " + failure);
}

void RunStorage::store_end(const RunProgress& progress, bool was_stopped) {
  if (has_unsaved_progress_) store_checkpoint(progress);
  store_left_best();
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
    throw Error(
        ErrorCode::kInvalidArgument,
        "training: the weights no longer give a loss that is a number: the training diverged",
        kDivergedHint);
  }
  save_model(folder_->path(), model_record(parts_.setup, progress.num_epochs, progress.last),
             weights_source(parts_.setup.programs->any_program()));
  folder_->keep();
  stored_epochs_ = progress.num_epochs;
  has_unstored_steps_ = false;
}

void RunStorage::end_by_error(const Error& error, const RunProgress& progress) {
  const std::string folder = folder_->path().native();
  const std::string since = has_partial_steps_ ? " and the steps since" : "";
  // What no step has made unsound goes on from where it is.
  const bool is_sound =
      error.code() != ErrorCode::kInternal && error.code() != ErrorCode::kInvalidArgument;
  if (is_sound && has_unsaved_progress_) store_checkpoint(progress);
  const bool is_saved = is_sound && !has_unsaved_progress_ && checkpoint_step();
  std::string failure;
  try {
    store(progress);
    log_->store();
  } catch (const std::exception& second) {
    failure = second.what();
  }
  std::string message = error.what();
  if (has_best_stored_) {
    if (!failure.empty() && failure != error.what()) message += "; " + failure;
    message += "; the best weights, after " + whole_epochs(*stored_epochs_) + ", are in " + folder;
  } else if (has_unstored_steps_) {
    message += "; these weights were not stored";
    const std::string reason = are_weights_doubtful() ? "their loss is not a number" : failure;
    if (failure != error.what()) message += " (" + reason + ")";
    if (stored_epochs_) {
      message += "; those after " + whole_epochs(*stored_epochs_) + " are in " + folder;
    }
  } else if (stored_epochs_) {
    if (!failure.empty() && failure != error.what()) message += "; " + failure;
    message += "; the weights after " + whole_epochs(*stored_epochs_) + since + " are in " + folder;
  }
  if (is_saved) message += "; stored as of step " + std::to_string(*checkpoint_step());
  if (!stored_epochs_ && !checkpoint_step()) {
    message += "; nothing of this run is stored";
    if (folder_->will_be_removed()) message += ", and " + folder + " is removed";
  }
  throw Error(error.code(), message, hint_of(error), error.os_error());
}

std::string RunStorage::hint_of(const Error& error) const {
  if (!error.hint().empty()) return error.hint();
  if (const std::string room = room_hint(error); !room.empty()) return room;
  return are_weights_doubtful() ? kDivergedHint : "";
}

}  // namespace penstock::train
