// Whether the folder of a run can be made, and whether what the run will store has room there. Looked at
// before anything is computed.
#pragma once

#include <cstdint>
#include <filesystem>

#include "train/run/run_setup.h"

namespace penstock::train {

/// Tries to make a folder in the nearest folder above `out` that is there, under another name, and removes it
/// again.
///
/// Errors  InvalidArgument when something above `out` is no folder, or a dataset; Io when none can be made
void check_run_place(const std::filesystem::path& out);

/// Bytes of the weights and checkpoints that the run has on the disk at once, at most: those that are kept, the
/// best, and one that is being written. Checkpoints that only the clock asks for are not foreseen.
std::uint64_t planned_run_bytes(const RunSetup& setup);

/// Throws Io when the disk of `out` has less room than `needed_bytes`, less what lies in `out` already.
void check_run_room(const std::filesystem::path& out, std::uint64_t needed_bytes);

}  // namespace penstock::train
