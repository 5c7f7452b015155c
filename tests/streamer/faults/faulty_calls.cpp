// Preloaded into a fresh process (LD_PRELOAD): makes one system call on one file fail.
//
//   PENSTOCK_FAULT=CALL:N:WHAT   the N-th call (from 1) of CALL: open, stat, fstat, pread, pwrite, fsync,
//                                ftruncate, fallocate or rename
//   PENSTOCK_FAULT=CALL:N+:WHAT  that one and all after it
//   PENSTOCK_FAULT_FOLDER        calls on other files are neither counted nor touched
//
// WHAT is an errno value, or 0 for a pread or pwrite of half of what was asked for. At exit the
// number of calls that were bent stands on standard error. Goes by system calls, not through
// dlsym(), so that it stands before a sanitizer's runtime too.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Plan {
  char call[16] = "";
  unsigned long first = 0;
  bool is_lasting = false;
  int what = 0;
  const char* folder = nullptr;

  Plan() {
    const char* const text = std::getenv("PENSTOCK_FAULT");
    folder = std::getenv("PENSTOCK_FAULT_FOLDER");
    if (text == nullptr || folder == nullptr) return;
    char plus = '\0';
    if (std::sscanf(text, "%15[^:]:%lu%c:%d", call, &first, &plus, &what) == 4 && plus == '+') {
      is_lasting = true;
    } else if (std::sscanf(text, "%15[^:]:%lu:%d", call, &first, &what) != 3) {
      std::fprintf(stderr, "PENSTOCK_FAULT: expected CALL:N:WHAT, found %s\n", text);
      std::abort();
    }
  }
};

std::atomic<unsigned long> num_calls{0};
std::atomic<unsigned long> num_bent{0};

const Plan& plan() {
  static const Plan instance;
  return instance;
}

bool strikes(const char* call, const char* path) {
  if (plan().first == 0 || std::strcmp(plan().call, call) != 0) return false;
  if (std::strncmp(path, plan().folder, std::strlen(plan().folder)) != 0) return false;
  const unsigned long number = ++num_calls;
  const bool is_hit = number == plan().first || (plan().is_lasting && number > plan().first);
  if (is_hit) ++num_bent;
  return is_hit;
}

bool strikes(const char* call, int fd) {
  if (plan().first == 0) return false;
  char link[32];
  char path[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const long length = ::syscall(SYS_readlink, link, path, sizeof path - 1);
  if (length < 0) return false;
  path[length] = '\0';
  return strikes(call, path);
}

int fail() {
  errno = plan().what;
  return -1;
}

[[gnu::destructor]] void report() {
  if (plan().first != 0) ::dprintf(STDERR_FILENO, "calls bent: %lu\n", num_bent.load());
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (strikes("open", path)) return fail();
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

int stat(const char* path, struct stat* info) {
  if (strikes("stat", path)) return fail();
  return static_cast<int>(::syscall(SYS_newfstatat, AT_FDCWD, path, info, 0));
}

int fstat(int fd, struct stat* info) {
  if (strikes("fstat", fd)) return fail();
  return static_cast<int>(::syscall(SYS_fstat, fd, info));
}

ssize_t pread(int fd, void* bytes, size_t num_bytes, off_t offset) {
  if (strikes("pread", fd)) {
    if (plan().what != 0) return fail();
    num_bytes = num_bytes > 1 ? num_bytes / 2 : num_bytes;
  }
  return ::syscall(SYS_pread64, fd, bytes, num_bytes, offset);
}

ssize_t pwrite(int fd, const void* bytes, size_t num_bytes, off_t offset) {
  if (strikes("pwrite", fd)) {
    if (plan().what != 0) return fail();
    num_bytes = num_bytes > 1 ? num_bytes / 2 : num_bytes;
  }
  return ::syscall(SYS_pwrite64, fd, bytes, num_bytes, offset);
}

int fsync(int fd) {
  if (strikes("fsync", fd)) return fail();
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

int ftruncate(int fd, off_t size_bytes) {
  if (strikes("ftruncate", fd)) return fail();
  return static_cast<int>(::syscall(SYS_ftruncate, fd, size_bytes));
}

// Returns its error, and leaves errno alone.
int posix_fallocate(int fd, off_t offset, off_t num_bytes) {
  if (strikes("fallocate", fd)) return plan().what;
  return ::syscall(SYS_fallocate, fd, 0, offset, num_bytes) == 0 ? 0 : errno;
}

int rename(const char* from, const char* to) {
  if (strikes("rename", from)) return fail();
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0u));
}

int renameat2(int from_fd, const char* from, int to_fd, const char* to, unsigned flags) {
  if (strikes("rename", from)) return fail();
  return static_cast<int>(::syscall(SYS_renameat2, from_fd, from, to_fd, to, flags));
}

}  // extern "C"
