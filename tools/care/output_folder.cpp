#include "tools/care/output_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/shell_quoted.h"
#include "tools/named_folder.h"
#include "tools/terminal.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

[[noreturn]] void throw_exists(const fs::path& path, const std::string& hint) {
  throw Error(
      ErrorCode::kAlreadyExists,
      fmt::format("folder: {}: expected nothing there yet, found something", printable_path(path)),
      hint);
}

}  // namespace

OutputFolder::OutputFolder(const fs::path& folder)
    : folder_(tools::named_folder(folder)), partial_(folder_) {
  partial_ += ".partial";
  if (fs::exists(fs::symlink_status(folder_))) throw_exists(folder_, "name another FOLDER");
  const fs::path parent = tools::folder_around(folder_);
  if (!fs::is_directory(parent)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("folder: {}: expected the folder it shall lie in, found nothing",
                            printable_path(folder_)),
                "mkdir -p " + shell_quoted(parent.native()));
  }
  if (::mkdir(partial_.c_str(), 0777) == 0) return;
  if (errno != EEXIST) throw_io_error(errno, "make folder", printable_path(partial_));
  throw_exists(partial_,
               "another extraction is at work, or one was cut short; in the second case: rm -r " +
                   shell_quoted(partial_.native()));
}

OutputFolder::~OutputFolder() {
  if (is_published_) return;
  std::error_code ignored;  // a destructor has nobody to tell
  fs::remove_all(partial_, ignored);
}

void OutputFolder::publish() {
  const UniqueFd open(::open(partial_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // One call for all files: a flush of each would take longer than writing them.
  if (!open || ::syncfs(open.get()) != 0) {
    throw_io_error(errno, "flush folder", printable_path(partial_));
  }
  rename_to_new(partial_, folder_);
  is_published_ = true;
  sync_folder(folder_.parent_path());
}

}  // namespace penstock::care
