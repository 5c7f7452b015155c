// A change of a dataset that is made or not made, whatever ends the process that makes it: what is to come
// and to go stands in a file until all is done, and whoever changes the dataset next goes by that.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"

namespace penstock::care {

/// In the dataset's folder while a change is on its way.
inline constexpr const char* kUnfinishedChangeName = "unfinished_change.json";

enum class ChangeKind : std::uint8_t { kRemove, kAdd };

struct ChangePlan {
  ChangeKind kind = ChangeKind::kRemove;
  std::vector<std::string> new_shards{};     // that will be written; nothing has these names yet
  std::vector<std::string> old_shards{};     // that the new manifest does not name
  std::vector<std::string> removed_names{};  // that go, of samples and from lists
  std::uint64_t num_removed = 0;             // samples
};

/// The folder in which add converts, on the dataset's own disk however the dataset was typed: DATASET.adding, or
/// new.adding within a dataset that is mounted, from which no rename leads out.
std::filesystem::path adding_folder(const std::filesystem::path& dataset);

/// Begun before the first file is changed, ended by publish(). Not published, all is as it was: what the plan
/// calls new goes, quarantine.csv, fixed.csv and duplicates.csv come back. It holds by what dataset.json says,
/// not by which call failed: what that names is never removed.
class DatasetChange {
 public:
  /// Throws Io. The dataset must be locked.
  DatasetChange(std::filesystem::path dataset, ChangePlan plan);
  DatasetChange(const DatasetChange&) = delete;
  DatasetChange& operator=(const DatasetChange&) = delete;
  ~DatasetChange();

  /// Switches the manifest, then removes old shards, old lists and, of an addition, DATASET.adding. Throws
  /// Io: either nothing has changed, or the hint says what is left, and settle_change() ends it.
  void publish(const Manifest& manifest);

 private:
  std::filesystem::path dataset_;
  bool is_ended_ = false;
};

struct SettledChange {
  ChangePlan plan;
  bool is_done = false;  // it was published before, and is ended now; else it was undone
};

/// Ends or undoes a change that was cut short, by what dataset.json says; without one that can be read, by
/// whether all new shards are there. Temporary files of the dataset's lists and manifest go too. Other files
/// are not touched. Returns nothing when there was no such change. The dataset must be locked.
///
/// Errors  CorruptData when the record of the change cannot be read; Io
std::optional<SettledChange> settle_change(const std::filesystem::path& dataset);

/// For those who read a dataset without a lock and found damage: throws Io when dataset.json is no longer the
/// one that was `read`, since what a change replaced is gone then, and nothing is wrong.
void check_not_changed(const std::filesystem::path& dataset, const Manifest& read);

/// Names of shards that are no strangers although a manifest that was read before does not name them: those of
/// a change that is at work, or was cut short, and those of the manifest as it is now.
std::set<std::string> shards_of_changes(const std::filesystem::path& dataset);

}  // namespace penstock::care
