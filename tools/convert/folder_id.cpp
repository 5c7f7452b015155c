#include "tools/convert/folder_id.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "streamer/core/error.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

FolderId id_of(const struct stat& status) {
  return {.device = status.st_dev, .inode = status.st_ino};
}

}  // namespace

FolderId folder_id(int folder_fd, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(folder_fd, &status) != 0) {
    throw_io_error(errno, "look at folder", tools::printable_path(path));
  }
  return id_of(status);
}

std::optional<FolderId> find_folder_id(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return std::nullopt;
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK | X_OK, AT_EACCESS) != 0) return std::nullopt;
  return id_of(status);
}

}  // namespace penstock::convert
