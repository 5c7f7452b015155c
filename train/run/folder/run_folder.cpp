#include "train/run/folder/run_folder.h"

#include <string>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "train/run/folder/occupied_place.h"
#include "train/run/settings/run_file.h"
#include "train/store/checkpoint_folder.h"
#include "train/store/model_record.h"

namespace penstock::train {

namespace fs = std::filesystem;

bool has_run(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder / kRunFileName, ignored)) return true;
  const fs::path checkpoints = folder / kCheckpointsName;
  return fs::is_directory(checkpoints, ignored) && !list_checkpoints(checkpoints).empty();
}

bool has_begun_run(const fs::path& folder) {
  if (has_run(folder)) return true;
  std::error_code failure;
  if (!fs::is_directory(folder, failure)) return false;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (entry->path().filename() != std::string(kRunFileName) + ".tmp") return false;
  }
  return !failure;
}

void RunFolderGuard::make_folder() {
  std::error_code failure;
  for (fs::path parent = folder_.parent_path();
       !fs::exists(parent, failure) && parent.has_relative_path(); parent = parent.parent_path()) {
    made_parents_.push_back(parent);
  }
  fs::create_directories(folder_.parent_path(), failure);
  if (failure) throw_io_error(failure.value(), "create folder", folder_.parent_path().native());
  // Only one of two runs that start at once makes the folder.
  is_made_ = fs::create_directory(folder_, failure);
  if (failure) throw_io_error(failure.value(), "create folder", folder_.native());
  if (!is_made_) refuse_occupied_place(folder_);
  sync_folder(folder_.parent_path());
}

RunFolderGuard::~RunFolderGuard() {
  if (is_kept_) return;
  std::error_code ignored;  // a destructor has nobody to tell
  if (is_made_) remove_files(ignored);
  for (const fs::path& parent : made_parents_) fs::remove(parent, ignored);  // when empty
}

void RunFolderGuard::remove_files(std::error_code& ignored) const {
  for (const char* name : {kRunFileName, kMetricsName, kMetricEventsName, kSkippedName}) {
    fs::remove(folder_ / name, ignored);
  }
  remove_model(folder_);
  remove_checkpoint_leftovers(folder_ / kCheckpointsName);
  fs::remove(folder_ / kCheckpointsName, ignored);  // only when no checkpoint was stored
  fs::remove(folder_, ignored);                     // only when nothing else is in it
}

RunFolder::RunFolder(const RunConfig& config) : path_(config.out), guard_(path_) {
  guard_.make_folder();
  publish_file(path_ / kRunFileName, format_run_file(config));
}

RunFolder::RunFolder(const RunConfig& config, const RunLock&) : path_(config.out), guard_(path_) {
  publish_file(path_ / kRunFileName, format_run_file(config));
}

void RunFolder::write_skipped(const SkippedSamples& skipped) const {
  publish_file(path_ / kSkippedName, skipped.csv());
}

}  // namespace penstock::train
