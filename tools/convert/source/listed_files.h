// The files that a table names, looked up one by one: what scan_folder() is for a whole folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>

#include "tools/convert/source/folder_scan.h"
#include "tools/convert/table/table_reader.h"

namespace penstock::convert {

/// Returns the regular files beneath `folder` that rows of `table` may mean, each once. Links are not
/// followed, neither to a file nor to a folder on the way. What is not there is left out.
///
/// Errors  those of the table; Io; OutOfMemory when what is made of the list would take more than
///         `room_bytes`; Stopped
FolderScan scan_listed_files(const std::filesystem::path& folder, TableReader& table,
                             const std::stop_token& stop, std::uint64_t room_bytes = UINT64_MAX);

}  // namespace penstock::convert
