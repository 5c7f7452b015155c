#include "tests/streamer/slow_disk.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

namespace {

std::atomic<std::int64_t> delay_us{0};
std::atomic<std::uint64_t> num_done{0};
std::atomic<std::uint64_t> num_will_need{0};

ssize_t delayed_pread(int fd, void* buffer, size_t count, off_t offset) {
  const std::int64_t delay = delay_us;
  if (delay > 0) std::this_thread::sleep_for(std::chrono::microseconds(delay));
  const ssize_t got = ::syscall(SYS_pread64, fd, buffer, count, offset);
  ++num_done;
  return got;
}

int counted_fadvise(int fd, off_t offset, off_t length, int advice) {
  if (advice == POSIX_FADV_WILLNEED) ++num_will_need;
  return ::syscall(SYS_fadvise64, fd, offset, length, advice) == 0 ? 0 : errno;
}

}  // namespace

// The program's own definitions come before those of the C library; which of the two names a caller
// uses depends on _FILE_OFFSET_BITS. On 64-bit Linux they take the same arguments.
extern "C" ssize_t pread(int fd, void* buffer, size_t count, off_t offset) {
  return delayed_pread(fd, buffer, count, offset);
}
extern "C" ssize_t pread64(int fd, void* buffer, size_t count, off_t offset) {
  return delayed_pread(fd, buffer, count, offset);
}
extern "C" int posix_fadvise(int fd, off_t offset, off_t length, int advice) {
  return counted_fadvise(fd, offset, length, advice);
}
extern "C" int posix_fadvise64(int fd, off_t offset, off_t length, int advice) {
  return counted_fadvise(fd, offset, length, advice);
}

namespace penstock::tests {

SlowDisk::SlowDisk(std::chrono::microseconds delay) {
  num_done = 0;
  num_will_need = 0;
  delay_us = delay.count();
}
SlowDisk::~SlowDisk() {
  delay_us = 0;
}
std::uint64_t SlowDisk::num_reads() const noexcept {
  return num_done;
}
std::uint64_t SlowDisk::num_read_aheads() const noexcept {
  return num_will_need;
}

}  // namespace penstock::tests
