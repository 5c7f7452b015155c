#include "tools/convert/write/folder_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>

#include <cerrno>
#include <utility>

#include "tools/convert/folder_id.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

using tools::printable_path;

UniqueFd open_folder(const std::filesystem::path& path) {
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) throw_io_error(errno, "open folder", printable_path(path));
  return folder;
}

}  // namespace

FolderLock::FolderLock(UniqueFd folder, std::filesystem::path path, const Error& busy)
    : folder_(std::move(folder)), path_(std::move(path)) {
  if (::flock(folder_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) throw busy;
    throw_io_error(errno, "lock folder", printable_path(path_));
  }
  // Between the opening and the lock its owner may have ended, and given its place to another.
  check_in_place();
}

void FolderLock::check_in_place() const {
  if (find_folder_id(path_) == folder_id(folder_.get(), path_)) return;
  throw Error(ErrorCode::kAlreadyExists,
              fmt::format("dataset: {}: expected the folder that is locked, found it moved or "
                          "replaced by another",
                          printable_path(path_)),
              "type the same command again when nobody else is at work there");
}

DatasetLock::DatasetLock(const std::filesystem::path& dataset)
    : FolderLock(open_folder(dataset), dataset,
                 Error(ErrorCode::kAlreadyExists,
                       fmt::format("dataset: {}: expected nobody else who changes it, found one",
                                   printable_path(dataset)),
                       "wait for it to end")) {}

}  // namespace penstock::convert
