#include "train/run/folder/run_hints.h"

#include <cerrno>
#include <system_error>

#include "streamer/core/shell_quoted.h"
#include "train/run/folder/run_folder.h"
#include "train/store/checkpoint_folder.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

bool has_whole_checkpoint(const fs::path& run) {
  try {
    find_resumable(run / kCheckpointsName);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::string quoted_path(const fs::path& path) {
  return shell_quoted(path.native());
}

/// The line of another run as `run` was, where it still says how that was.
std::string train_again(const fs::path& run) {
  std::error_code ignored;
  if (!fs::exists(run / kRunFileName, ignored)) return "penstock train DATASET -o OTHER";
  return "penstock train --config " + quoted_path(run / kRunFileName) + " -o " +
         quoted_path(run.native() + ".again");
}

std::string from_weights(const fs::path& run) {
  return "its weights are whole and can begin another run: " + train_again(run) + " --init-from " +
         quoted_path(run);
}

}  // namespace

bool has_whole_weights(const fs::path& folder) {
  try {
    load_model_record(folder);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::string hint_without_run(const fs::path& folder) {
  if (has_whole_weights(folder)) return from_weights(folder);
  const std::string train = "penstock train DATASET -o ";
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(folder, ignored))) return train + quoted_path(folder);
  const bool has_checkpoints = fs::exists(folder / kCheckpointsName, ignored);
  if (!has_checkpoints && has_begun_run(folder)) return train + quoted_path(folder) + " --resume";
  return "check the path of -o; a new run needs a folder of its own: " + train + "OTHER";
}

std::string hint_without_checkpoint(const fs::path& run) {
  if (has_whole_weights(run)) return from_weights(run);
  return "start the run anew: " + train_again(run);
}

std::string hint_in_the_way(const fs::path& run, const Error& error) {
  const int failure = error.os_error();
  if (failure == EROFS || failure == EACCES || failure == EPERM) {
    return "a run that goes on is written to: make " + quoted_path(run) +
           " writable, or go on with a copy: cp -r " + quoted_path(run) +
           " OTHER, then penstock train -o OTHER --resume";
  }
  const bool is_other_kind =
      failure == EISDIR || failure == ENOTDIR || (error.code() == ErrorCode::kIo && failure == 0);
  return is_other_kind
             ? "move what is there out of " + quoted_path(run) + ", then the same command again"
             : "";
}

Error with_way_back(const Error& error, const fs::path& run) {
  // No number of the system: what is there is no file.
  const bool is_lost = error.code() == ErrorCode::kNotFound ||
                       error.code() == ErrorCode::kCorruptData ||
                       (error.code() == ErrorCode::kIo && error.os_error() == 0);
  std::string hint = error.hint();
  if (is_lost && has_whole_checkpoint(run)) {
    hint =
        "to bring it back from a checkpoint: penstock train -o " + quoted_path(run) + " --resume";
  } else if (is_lost && hint.empty()) {
    hint = "train it again: " + train_again(run);
  }
  return {error.code(), error.what(), hint, error.os_error()};
}

}  // namespace penstock::train
