// Whether a result file can go where it is to go, looked at before any work is done for it.
#pragma once

#include <filesystem>

namespace penstock::tools {

enum class ExistingFile { kRefuse, kReplace };

/// Checks a path that publish_file() is to write to later. It may fail then all the same.
///
/// Errors  AlreadyExists for a folder, and for a file that may not be replaced; NotFound without
///         its folder; Io when that may not be written to
void check_output_file(const std::filesystem::path& path, ExistingFile existing);

}  // namespace penstock::tools
