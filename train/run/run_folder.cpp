#include "train/run/run_folder.h"

#include <cmath>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "train/run/run_file.h"
#include "train/run/run_values.h"

namespace penstock::train {
namespace {

constexpr const char* kMetricsHead =
    "epoch,train_loss,train_top1,validation_loss,validation_top1,learning_rate,images_per_s,"
    "waiting_share,num_samples,num_distinct,num_skipped,train_s\n";

/// An empty field stands for a figure that there is none of.
std::string field(double value) {
  return std::isfinite(value) ? format_number(value) : "";
}

}  // namespace

void check_run_folder_is_free(const std::filesystem::path& folder) {
  if (folder.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "run: out: expected a folder for the run, found none",
                "-o runs/first");
  }
  if (std::filesystem::exists(std::filesystem::symlink_status(folder))) {
    throw Error(ErrorCode::kAlreadyExists,
                "run: " + folder.native() + ": expected no such folder, found one",
                "choose another with -o, or remove it: rm -r " + folder.native());
  }
}

RunFolder::RunFolder(const RunConfig& config) : path_(config.out), metrics_(kMetricsHead) {
  check_run_folder_is_free(path_);
  std::error_code failure;
  std::filesystem::create_directories(path_, failure);
  if (failure) throw_io_error(failure.value(), "create folder", path_.native());
  publish_file(path_ / kRunFileName, format_run_file(config));
}

RunFolder::~RunFolder() {
  if (is_kept_) return;
  std::error_code ignored;  // a destructor has nobody to tell
  std::filesystem::remove(path_ / kMetricsName, ignored);
  std::filesystem::remove(path_ / kRunFileName, ignored);
  std::filesystem::remove(path_, ignored);  // only when nothing else is in it
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
              field(train.elapsed_s) + "\n";
  publish_file(path_ / kMetricsName, metrics_);
}

RunConfig read_run_folder(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kRunFileName;
  if (!std::filesystem::exists(file)) {
    throw Error(
        ErrorCode::kNotFound,
        "run: " + folder.native() + ": expected a folder with " + kRunFileName + ", found none",
        "penstock train DATASET -o " + folder.native());
  }
  return read_run_file(file);
}

}  // namespace penstock::train
