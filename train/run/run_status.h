// How far the run in a folder has come, for those who would begin one there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace penstock::train {

struct RunStatus {
  /// Epochs whose training pass was done in full, by the newest whole checkpoint: RunOutcome's.
  std::uint64_t num_epochs = 0;
  /// The last of these has not been validated.
  bool is_validation_left = false;
  /// Epochs that its settings ask for.
  std::uint32_t epochs = 0;
  /// It ended before these, for a reason of its own: early stopping.
  bool has_ended_early = false;

  bool is_finished() const noexcept {
    return (num_epochs >= epochs && !is_validation_left) || has_ended_early;
  }
};

/// Nothing where there is no run that could go on: no settings that can be read, weights without a
/// checkpoint, none that is whole. Throws nothing but for want of memory.
/// Cost  reads a checkpoint once
std::optional<RunStatus> read_run_status(const std::filesystem::path& folder);

/// Throws AlreadyExists when `folder` is there, with the way on where it is a run; InvalidArgument when none
/// is named.
void check_run_folder_is_free(const std::filesystem::path& folder);

}  // namespace penstock::train
