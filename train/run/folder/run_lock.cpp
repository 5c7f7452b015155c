#include "train/run/folder/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "streamer/core/error.h"

namespace penstock::train {

RunLock::RunLock(const std::filesystem::path& folder)
    : folder_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!folder_) throw_io_error(errno, "open folder", folder.native());
  if (::flock(folder_.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  throw Error(ErrorCode::kAlreadyExists,
              "run: " + folder.native() + ": expected no process that trains it, found one",
              "wait until it has ended, or stop it");
}

}  // namespace penstock::train
