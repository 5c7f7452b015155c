#include "tools/library_remarks.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "streamer/core/error.h"
#include "streamer/core/file.h"

namespace penstock::tools {

LibraryRemarksSilenced::LibraryRemarksSilenced() {
  std::fflush(stderr);
  const int duplicate = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (duplicate < 0) throw_io_error(errno, "duplicate", "standard error");
  stream_.reset(::fdopen(duplicate, "w"));
  const UniqueFd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!stream_ || !nowhere) throw_io_error(errno, "open", "/dev/null");
  ::dup2(nowhere.get(), STDERR_FILENO);
}

LibraryRemarksSilenced::~LibraryRemarksSilenced() {
  std::fflush(stream_.get());
  ::dup2(::fileno(stream_.get()), STDERR_FILENO);
}

}  // namespace penstock::tools
