// The folder of a run: its files, and what is in them besides the model.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "train/run/data/skipped_samples.h"
#include "train/run/epoch/metrics_log.h"
#include "train/run/folder/run_lock.h"
#include "train/run/settings/run_config.h"

namespace penstock::train {

inline constexpr const char* kRunFileName = "run.toml";

/// Whether `folder` holds a run: a run.toml or a checkpoint at least.
/// Errors  Io
bool has_run(const std::filesystem::path& folder);
/// The same, or what a run leaves that was killed before it had stored its run.toml: an empty folder, or a part
/// of that file.
/// Errors  Io
bool has_begun_run(const std::filesystem::path& folder);

/// Removes what a run wrote when it ends early, unless there is something to keep.
class RunFolderGuard {
 public:
  explicit RunFolderGuard(std::filesystem::path folder) : folder_(std::move(folder)) {}
  RunFolderGuard(const RunFolderGuard&) = delete;
  RunFolderGuard& operator=(const RunFolderGuard&) = delete;
  ~RunFolderGuard();

  /// Makes the folder, and its parents where they miss. Throws AlreadyExists when another run was
  /// first, Io.
  void make_folder();
  void keep() noexcept { is_kept_ = true; }
  /// Whether what it made goes in the end, as it stands.
  bool will_remove() const noexcept { return is_made_ && !is_kept_; }

 private:
  void remove_files(std::error_code& ignored) const;

  std::filesystem::path folder_;
  std::vector<std::filesystem::path> made_parents_;  // innermost first
  bool is_made_ = false;
  bool is_kept_ = false;
};

/// Makes the folder and stores run.toml. Removes what it made unless keep() is called.
class RunFolder {
 public:
  explicit RunFolder(const RunConfig& config);
  /// Opens the folder of a run that goes on, which is held: run.toml is stored anew. Nothing is removed in
  /// the end. Throws Io.
  RunFolder(const RunConfig& config, const RunLock& held);

  const std::filesystem::path& path() const noexcept { return path_; }
  void keep() noexcept { guard_.keep(); }
  bool will_be_removed() const noexcept { return guard_.will_remove(); }

  /// Publishes skipped.csv.
  void write_skipped(const SkippedSamples& skipped) const;

 private:
  std::filesystem::path path_;
  RunFolderGuard guard_;
};

}  // namespace penstock::train
