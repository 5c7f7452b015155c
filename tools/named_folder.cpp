#include "tools/named_folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>

namespace penstock::tools {
namespace {

namespace fs = std::filesystem;

// "ds" of "ds/", "ds/." and "ds/./"; "." stays.
fs::path without_tail(fs::path path) {
  while ((!path.has_filename() || path.filename() == ".") && path.has_parent_path() &&
         path != path.parent_path()) {
    path = path.parent_path();
  }
  return path;
}

bool has_own_name(const fs::path& path) {
  std::error_code failed;
  return path.has_filename() && path.filename() != "." && path.filename() != ".." &&
         !fs::is_symlink(path, failed);
}

}  // namespace

fs::path named_folder(const fs::path& typed) {
  fs::path path = without_tail(typed);
  if (has_own_name(path)) return path;
  std::error_code failed;
  fs::path resolved = fs::canonical(path, failed);
  return failed ? path : resolved;
}

fs::path folder_around(const fs::path& typed) {
  const fs::path folder = named_folder(typed);
  return folder.has_parent_path() ? folder.parent_path() : fs::path(".");
}

bool lies_within(const fs::path& inner, const fs::path& outer) {
  // With a last slash the last name would be an empty one.
  const fs::path in = fs::weakly_canonical(inner / ".");
  const fs::path out = fs::weakly_canonical(outer / ".");
  return std::mismatch(out.begin(), out.end(), in.begin(), in.end()).first == out.end();
}

bool is_mount_point(const fs::path& folder) {
  struct statx found {};
  if (::statx(AT_FDCWD, folder.c_str(), 0, STATX_BASIC_STATS, &found) != 0) return false;
  if ((found.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0) {
    return (found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  }
  struct statx around {};
  if (::statx(AT_FDCWD, (folder / "..").c_str(), 0, STATX_BASIC_STATS, &around) != 0) return false;
  return found.stx_dev_major != around.stx_dev_major || found.stx_dev_minor != around.stx_dev_minor;
}

}  // namespace penstock::tools
