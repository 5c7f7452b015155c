#include "train/run/run_status.h"

#include <string>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "train/run/folder/occupied_place.h"
#include "train/run/folder/stored_settings.h"
#include "train/run/run_resume.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_run(const fs::path& folder, const RunStatus& status) {
  const std::string resume = "penstock train -o " + shell_quoted(folder.native()) + " --resume";
  const std::string found = "run: " + folder.native() + ": expected no such folder, found ";
  const std::string epochs =
      std::to_string(status.epochs) + (status.epochs == 1 ? " epoch" : " epochs");
  if (status.is_finished()) {
    throw Error(ErrorCode::kAlreadyExists, found + "a finished run of " + epochs,
                "to go on with it: " + resume + " --epochs " + std::to_string(2 * status.epochs) +
                    "; or choose another folder with -o");
  }
  throw Error(ErrorCode::kAlreadyExists,
              found + "an unfinished run: " + std::to_string(status.num_epochs) + " of " + epochs +
                  " done" + (status.is_validation_left ? ", the last one not validated" : ""),
              resume);
}

}  // namespace

std::optional<RunStatus> read_run_status(const fs::path& folder) try {
  RunStatus status{.epochs = read_stored_settings(folder).config.epochs};
  const auto resume = RunResume::open(folder);
  if (resume) {
    const RunProgress progress = resume->stored_progress();
    status.num_epochs = progress.num_epochs;
    status.is_validation_left = progress.is_validation_left();
    status.has_ended_early = !progress.end_reason.empty();
  }
  return status;
} catch (const Error&) {
  return std::nullopt;
}

void check_run_folder_is_free(const fs::path& folder) {
  if (folder.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "run: out: expected a folder for the run, found none",
                "-o runs/first");
  }
  if (!fs::exists(fs::symlink_status(folder))) return;
  if (const auto status = read_run_status(folder)) refuse_run(folder, *status);
  refuse_occupied_place(folder);
}

}  // namespace penstock::train
