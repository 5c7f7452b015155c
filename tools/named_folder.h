// Folders under their own names, however they were typed, so that another folder can lie beside them.
#pragma once

#include <filesystem>

namespace penstock::tools {

/// Returns a path of the same folder that ends with its own name: "ds" of "ds/" and "ds/.". As typed where that
/// is so, for messages; resolved for ".", ".." and links, and a link that leads nowhere stays as it is. What is
/// beside a folder is found by this path alone.
std::filesystem::path named_folder(const std::filesystem::path& typed);

/// The folder in which it lies; "." of a bare name.
std::filesystem::path folder_around(const std::filesystem::path& typed);

/// Whether `inner` is `outer` or lies in it, links followed.
bool lies_within(const std::filesystem::path& inner, const std::filesystem::path& outer);

/// Whether something is mounted there: no rename leads from beside it into it, even on one disk.
///
/// Source   statx(2), STATX_ATTR_MOUNT_ROOT, Linux 5.8; where it is not told, the two devices
bool is_mount_point(const std::filesystem::path& folder);

}  // namespace penstock::tools
