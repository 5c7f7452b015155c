#include "tests/train/store/watched_read.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace {

thread_local std::function<void()> at_first_read;
thread_local ino_t watched_inode = 0;

ssize_t watched_pread(int fd, void* buffer, size_t count, off_t offset) {
  struct stat info {};
  if (at_first_read && ::fstat(fd, &info) == 0 && info.st_ino == watched_inode) {
    std::exchange(at_first_read, nullptr)();
  }
  return ::syscall(SYS_pread64, fd, buffer, count, offset);
}

}  // namespace

// The program's own definitions come before those of the C library; which of the two names a caller
// uses depends on _FILE_OFFSET_BITS. On 64-bit Linux they take the same arguments.
extern "C" ssize_t pread(int fd, void* buffer, size_t count, off_t offset) {
  return watched_pread(fd, buffer, count, offset);
}
extern "C" ssize_t pread64(int fd, void* buffer, size_t count, off_t offset) {
  return watched_pread(fd, buffer, count, offset);
}

namespace penstock::tests {

WatchedRead::WatchedRead(const std::filesystem::path& file, std::function<void()> action) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) {
    throw std::system_error(errno, std::generic_category(), file.native());
  }
  watched_inode = info.st_ino;
  at_first_read = std::move(action);
}
WatchedRead::~WatchedRead() {
  at_first_read = nullptr;
}

}  // namespace penstock::tests
