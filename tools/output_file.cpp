#include "tools/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"

namespace penstock::tools {

namespace fs = std::filesystem;

void check_output_file(const fs::path& path, ExistingFile existing) {
  const std::string where = "output: " + path.native();
  if (fs::is_directory(path)) {
    throw Error(ErrorCode::kAlreadyExists, where + ": expected a file or nothing, found a folder",
                "name another file");
  }
  if (fs::exists(fs::symlink_status(path)) && existing == ExistingFile::kRefuse) {
    throw Error(ErrorCode::kAlreadyExists, where + ": expected nothing there, found a file",
                "--force replaces it; or name another file");
  }
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!fs::is_directory(folder)) {
    throw Error(ErrorCode::kNotFound,
                "output: " + folder.native() + ": expected a folder, found none",
                "mkdir -p " + shell_quoted(folder.native()));
  }
  // The effective user's rights: what open() goes by.
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    throw Error(ErrorCode::kIo, "output: " + folder.native() + ": expected a folder to write to",
                "see who may do what there: ls -ld " + shell_quoted(folder.native()));
  }
}

}  // namespace penstock::tools
