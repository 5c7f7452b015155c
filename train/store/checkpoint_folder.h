// The checkpoints of a run: which there are, which one to go on from, which are kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "train/store/checkpoint_name.h"
#include "train/store/checkpoint_reader.h"

namespace penstock::train {

/// Folder of the checkpoints in that of the run.
inline constexpr const char* kCheckpointsName = "checkpoints";

struct CheckpointEntry {
  std::filesystem::path path = {};
  CheckpointNumbers numbers = {};

  std::string name() const { return path.filename().native(); }
};

/// Lists the checkpoints in `folder`, newest first; none when the folder is missing. What a writer that
/// was killed left behind is not among them. Nothing is opened.
///
/// Errors  Io
std::vector<CheckpointEntry> list_checkpoints(const std::filesystem::path& folder);

/// Returns a serial above those of all checkpoints in `folder`, damaged and unfinished ones included.
///
/// Errors  Io; InvalidArgument after kMaxSerial
std::uint64_t next_checkpoint_serial(const std::filesystem::path& folder);

/// A checkpoint that cannot be gone on from.
struct DamagedCheckpoint {
  std::string name;
  /// One line: the file, what was expected and found.
  std::string what;

  /// A line for a user.
  std::string note() const {
    return "checkpoint " + name + " is damaged (" + what + "): the one before is taken";
  }
};

struct ResumableCheckpoint {
  CheckpointReader checkpoint;
  /// Newer ones that were passed over, newest first.
  std::vector<DamagedCheckpoint> damaged;
};

/// Opens the newest whole checkpoint in `folder`. Damage, missing files and EIO pass on to the one before.
///
/// Errors  NotFound when there is none; CorruptData naming all when none is whole; Unsupported when the
///         newest whole one is of a newer version; Io
ResumableCheckpoint find_resumable(const std::filesystem::path& folder);

/// A state without its tensors.
struct StoredState {
  CheckpointEntry entry;
  CheckpointState state;
};

/// Reads state.json of the newest checkpoint in `folder` whose own is whole; its tensors are not looked at.
/// Nothing where there is none. Throws nothing but for want of memory.
/// Cost  a small file
std::optional<StoredState> find_newest_state(const std::filesystem::path& folder);

/// Which checkpoints stay.
struct KeepPolicy {
  /// The newest so many, 1 to 1000.
  std::uint32_t num_newest = 2;
  /// Name of the one with the best result: it stays however old it is. Empty: none.
  std::string best = {};
  /// Names of those known to be damaged: they count for nothing and go.
  std::vector<std::string> damaged = {};

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// Removes what the policy lets go, once `published` is there: a run never removes the checkpoint that it
/// came from before it has a newer one. Each is renamed first, so that one half removed is never taken
/// for a checkpoint.
///
/// Errors  Io, after all the others were removed
void remove_superseded(const std::filesystem::path& folder, const CheckpointEntry& published,
                       const KeepPolicy& policy);

/// Removes what killed writers left behind in `folder`; whatever cannot be removed stays.
void remove_checkpoint_leftovers(const std::filesystem::path& folder) noexcept;

/// Name under which a checkpoint is written and removed.
std::filesystem::path unpublished_checkpoint(std::filesystem::path checkpoint);

}  // namespace penstock::train
