#include "train/run/run_folder.h"

#include <cmath>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/shell_quoted.h"
#include "train/run/run_file.h"
#include "train/run/run_values.h"
#include "train/store/checkpoint_folder.h"
#include "train/store/model_record.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMetricsHead =
    "epoch,train_loss,train_top1,validation_loss,validation_top1,learning_rate,images_per_s,"
    "waiting_share,num_samples,num_distinct,num_skipped,train_s,validation_num_skipped\n";

/// An empty field stands for a figure that there is none of.
std::string field(double value) {
  return std::isfinite(value) ? format_number(value) : "";
}

[[noreturn]] void refuse_existing(const fs::path& folder) {
  throw Error(ErrorCode::kAlreadyExists,
              "run: " + folder.native() + ": expected no such folder, found one",
              "choose another with -o, or remove it: rm -r " + shell_quoted(folder.native()));
}

}  // namespace

void check_run_folder_is_free(const fs::path& folder) {
  if (folder.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "run: out: expected a folder for the run, found none",
                "-o runs/first");
  }
  if (fs::exists(fs::symlink_status(folder))) refuse_existing(folder);
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
  if (!is_made_) refuse_existing(folder_);
  sync_folder(folder_.parent_path());
}

RunFolderGuard::~RunFolderGuard() {
  if (is_kept_) return;
  std::error_code ignored;  // a destructor has nobody to tell
  if (is_made_) remove_files(ignored);
  for (const fs::path& parent : made_parents_) fs::remove(parent, ignored);  // when empty
}

void RunFolderGuard::remove_files(std::error_code& ignored) const {
  for (const char* name : {kRunFileName, kMetricsName, kSkippedName}) {
    fs::remove(folder_ / name, ignored);
  }
  remove_model(folder_);
  remove_checkpoint_leftovers(folder_ / kCheckpointsName);
  fs::remove(folder_ / kCheckpointsName, ignored);  // only when no checkpoint was stored
  fs::remove(folder_, ignored);                     // only when nothing else is in it
}

RunFolder::RunFolder(const RunConfig& config)
    : path_(config.out), guard_(path_), metrics_(kMetricsHead) {
  guard_.make_folder();
  publish_file(path_ / kRunFileName, format_run_file(config));
}

void RunFolder::add_metrics(const EpochReport& report) {
  const PassReport& train = report.train;
  const bool has_validation = report.validation.has_value();
  metrics_ += std::to_string(report.epoch_idx + 1) + "," + field(train.totals.loss()) + "," +
              field(train.totals.top1()) + "," +
              (has_validation ? field(report.validation->totals.loss()) : "") + "," +
              (has_validation ? field(report.validation->totals.top1()) : "") + "," +
              field(train.learning_rate) + "," + field(train.images_per_s()) + "," +
              field(train.waiting_share()) + "," + std::to_string(train.num_samples) + "," +
              std::to_string(train.num_distinct) + "," + std::to_string(train.num_skipped) + "," +
              field(train.elapsed_s) + "," +
              (has_validation ? std::to_string(report.validation->num_skipped) : "") + "\n";
  publish_file(path_ / kMetricsName, metrics_);
}

void RunFolder::write_skipped(const SkippedSamples& skipped) const {
  publish_file(path_ / kSkippedName, skipped.csv());
}

RunConfig read_run_folder(const fs::path& folder) {
  const fs::path file = folder / kRunFileName;
  if (!fs::exists(file)) {
    throw Error(
        ErrorCode::kNotFound,
        "run: " + folder.native() + ": expected a folder with " + kRunFileName + ", found none",
        "penstock train DATASET -o " + shell_quoted(folder.native()));
  }
  return read_run_file(file);
}

}  // namespace penstock::train
