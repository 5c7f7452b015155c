#include "train/store/checkpoint_folder.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <optional>
#include <string_view>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/range_check.h"

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnpublished = ".tmp";

/// What lies in the folder under a name of ours.
struct FolderContent {
  std::vector<CheckpointEntry> checkpoints;
  std::vector<CheckpointEntry> leftovers;  // `path` with its ending
};

FolderContent read_folder(const fs::path& folder, std::error_code& failure) {
  FolderContent content;
  fs::directory_iterator entry(folder, failure);
  for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    const std::string file_name = entry->path().filename().native();
    std::string_view name = file_name;
    const bool is_leftover = name.ends_with(kUnpublished);
    if (is_leftover) name.remove_suffix(kUnpublished.size());
    const auto numbers = parse_checkpoint_name(name);
    std::error_code vanished;
    // A link under such a name is somebody else's.
    if (!numbers || !fs::is_directory(entry->symlink_status(vanished))) continue;
    (is_leftover ? content.leftovers : content.checkpoints).push_back({entry->path(), *numbers});
  }
  if (failure == std::errc::no_such_file_or_directory) failure.clear();
  return content;
}

FolderContent read_folder(const fs::path& folder) {
  std::error_code failure;
  FolderContent content = read_folder(folder, failure);
  if (failure) throw_io_error(failure.value(), "list folder", folder.native());
  return content;
}

std::vector<CheckpointEntry> newest_first(std::vector<CheckpointEntry> found) {
  std::ranges::sort(found, [](const CheckpointEntry& a, const CheckpointEntry& b) {
    if (a.numbers.serial != b.numbers.serial) return a.numbers.serial > b.numbers.serial;
    return a.numbers.step > b.numbers.step;  // made by hand: no writer gives a serial twice
  });
  return found;
}

/// EIO: a bad sector costs one checkpoint. Too many open files, for one, would cost them all.
bool is_damage(const Error& error) {
  return error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kNotFound ||
         (error.code() == ErrorCode::kIo && error.os_error() == EIO);
}

[[noreturn]] void refuse_all(const fs::path& folder,
                             const std::vector<DamagedCheckpoint>& damaged) {
  const std::string hint = "start the run anew";
  if (damaged.empty()) {
    throw Error(ErrorCode::kNotFound,
                "checkpoint: " + folder.native() + ": expected a checkpoint, found none", hint);
  }
  std::string all;
  for (const DamagedCheckpoint& one : damaged) all += (all.empty() ? "" : "; ") + one.what;
  throw Error(ErrorCode::kCorruptData,
              "checkpoint: " + folder.native() + ": expected a whole checkpoint, found " +
                  std::to_string(damaged.size()) + " damaged: " + all,
              hint);
}

/// Those that the policy lets go, of `entries` with the newest first.
std::vector<CheckpointEntry> superseded(std::vector<CheckpointEntry> entries,
                                        const KeepPolicy& policy) {
  std::uint32_t num_kept = 0;
  std::erase_if(entries, [&](const CheckpointEntry& entry) {
    if (std::ranges::count(policy.damaged, entry.name()) > 0) return false;
    const bool is_new = num_kept < policy.num_newest;
    num_kept += is_new ? 1 : 0;
    return is_new || entry.name() == policy.best;
  });
  return entries;
}

void remove_checkpoint(const fs::path& path) {
  const fs::path renamed = unpublished_checkpoint(path);
  // The disk has to know it under that name before its files go: a power failure between the two would
  // leave a checkpoint without them.
  publish_by_rename(path, renamed);
  std::error_code failure;
  fs::remove_all(renamed, failure);
  if (failure) throw_io_error(failure.value(), "remove", renamed.native());
}

}  // namespace

std::vector<CheckpointEntry> list_checkpoints(const fs::path& folder) {
  return newest_first(read_folder(folder).checkpoints);
}

std::uint64_t next_checkpoint_serial(const fs::path& folder) {
  const FolderContent content = read_folder(folder);
  std::uint64_t last = 0;
  for (const auto* const entries : {&content.checkpoints, &content.leftovers}) {
    for (const CheckpointEntry& entry : *entries) last = std::max(last, entry.numbers.serial);
  }
  if (last < kMaxSerial) return last + 1;
  throw Error(ErrorCode::kInvalidArgument, "checkpoint: " + folder.native() +
                                               ": expected at most " + std::to_string(kMaxSerial) +
                                               " checkpoints, found as many");
}

ResumableCheckpoint find_resumable(const fs::path& folder) {
  std::vector<DamagedCheckpoint> damaged;
  for (const CheckpointEntry& entry : list_checkpoints(folder)) {
    try {
      return {.checkpoint = CheckpointReader::open(entry.path), .damaged = std::move(damaged)};
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
      damaged.push_back({.name = entry.name(), .what = error.what()});
    }
  }
  refuse_all(folder, damaged);
}

std::optional<StoredState> find_newest_state(const fs::path& folder) {
  std::error_code failure;
  for (CheckpointEntry& entry : newest_first(read_folder(folder, failure).checkpoints)) {
    try {
      CheckpointState state = CheckpointReader::read_state(entry.path);
      return StoredState{.entry = std::move(entry), .state = std::move(state)};
    } catch (const Error&) {  // the one before is as good
    }
  }
  return std::nullopt;
}

void KeepPolicy::validate() const {
  check_range(
      {.owner = "checkpoint", .field = "num_newest", .value = num_newest, .low = 1, .high = 1000});
}

void remove_superseded(const fs::path& folder, const CheckpointEntry& published,
                       const KeepPolicy& policy) {
  policy.validate();
  const std::vector<CheckpointEntry> there = list_checkpoints(folder);
  check_internal(!there.empty() && there.front().numbers == published.numbers,
                 "old checkpoints go after a new one is there");
  std::exception_ptr first_failure;
  for (const CheckpointEntry& entry : superseded(there, policy)) {
    try {
      remove_checkpoint(entry.path);
    } catch (const Error&) {
      if (!first_failure) first_failure = std::current_exception();
    }
  }
  if (first_failure) std::rethrow_exception(first_failure);
}

void remove_checkpoint_leftovers(const fs::path& folder) noexcept {
  try {
    std::error_code ignored;  // it is tried again at the next write
    for (const CheckpointEntry& leftover : read_folder(folder, ignored).leftovers) {
      fs::remove_all(leftover.path, ignored);
    }
  } catch (const std::exception&) {  // memory
  }
}

fs::path unpublished_checkpoint(fs::path checkpoint) {
  return checkpoint += kUnpublished;
}

}  // namespace penstock::train
