// The folder of a run: its files, and what is in them besides the model.
#pragma once

#include <filesystem>
#include <string>

#include "train/run/run_config.h"
#include "train/run/session.h"

namespace penstock::train {

inline constexpr const char* kRunFileName = "run.toml";
inline constexpr const char* kMetricsName = "metrics.csv";

/// Throws AlreadyExists when `folder` is there, InvalidArgument when none is named.
void check_run_folder_is_free(const std::filesystem::path& folder);

/// Makes the folder and stores run.toml. Removes what it made unless keep() is called.
class RunFolder {
 public:
  explicit RunFolder(const RunConfig& config);
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;
  ~RunFolder();

  const std::filesystem::path& path() const noexcept { return path_; }
  void keep() noexcept { is_kept_ = true; }
  bool is_kept() const noexcept { return is_kept_; }

  /// Adds one line to metrics.csv and publishes the whole file.
  void add_metrics(const EpochReport& report);

 private:
  std::filesystem::path path_;
  std::string metrics_;
  bool is_kept_ = false;
};

/// Reads run.toml of a run.
/// Errors  NotFound with the hint to train; InvalidArgument
RunConfig read_run_folder(const std::filesystem::path& folder);

}  // namespace penstock::train
