// Files that are no part of a dataset and may hold its samples all the same.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"

namespace penstock::care {

/// Finds, sorted by name: shards in the folder that the manifest does not name, whole or damaged or half
/// written, but for those whose names can be read and are none that `is_asked` says; and folders in which
/// conversion and add work on the dataset, whatever is in them and however it was typed. Throws Io.
std::vector<std::string> find_other_files(
    const std::filesystem::path& dataset, const Manifest& manifest,
    const std::function<bool(const std::string& name)>& is_asked);

}  // namespace penstock::care
