// What is in the way where the folder of a run shall be made. Whatever it is, no hint removes it: a slip of the
// pen in -o names somebody's pictures.
#pragma once

#include <filesystem>

namespace penstock::train {

/// Whether `folder` is a dataset of ours, by a dataset.json that can be read.
bool is_dataset(const std::filesystem::path& folder);

/// Throws AlreadyExists: something is at `place`, and what; the hint is another place.
[[noreturn]] void refuse_occupied_place(const std::filesystem::path& place);

}  // namespace penstock::train
