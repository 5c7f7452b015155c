// Preloaded into a fresh process (LD_PRELOAD): makes one system call on one file fail.
//
//   PENSTOCK_FAULT=CALL:N:WHAT   the N-th call (from 1) of CALL: open, stat, fstat, pread, pwrite, fsync,
//                                ftruncate, fallocate, mkdir, rename, link or unlink (remove and rmdir too);
//                                change is any of the last three and fsync
//   PENSTOCK_FAULT=CALL:N+:WHAT  that one and all after it
//   PENSTOCK_FAULT_FOLDER        calls on other files are neither counted nor touched
//
// WHAT is an errno value, 0 for a pread or pwrite of half of what was asked for, or -1: the process is killed
// instead of the call. At exit the
// number of calls that were bent stands on standard error. Goes by system calls, not through
// dlsym(), so that it stands before a sanitizer's runtime too.
#include <fcntl.h>
#include <signal.h>
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

constexpr int kKill = -1;

bool is_planned(const char* call) {
  if (std::strcmp(plan().call, call) == 0) return true;
  if (std::strcmp(plan().call, "change") != 0) return false;
  for (const char* one : {"rename", "link", "unlink", "fsync"}) {
    if (std::strcmp(one, call) == 0) return true;
  }
  return false;
}

bool strikes(const char* call, const char* path) {
  if (plan().first == 0 || !is_planned(call)) return false;
  if (std::strncmp(path, plan().folder, std::strlen(plan().folder)) != 0) return false;
  const unsigned long number = ++num_calls;
  const bool is_hit = number == plan().first || (plan().is_lasting && number > plan().first);
  if (is_hit && plan().what == kKill) ::kill(::getpid(), SIGKILL);
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

// `path` as unlinkat() and its like take it: relative to a folder that is open.
bool strikes_at(const char* call, int folder_fd, const char* path) {
  if (path[0] == '/' || folder_fd == AT_FDCWD) return strikes(call, path);
  if (plan().first == 0) return false;
  char link[32];
  char whole[2 * PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", folder_fd);
  const long length = ::syscall(SYS_readlink, link, whole, PATH_MAX - 1);
  if (length < 0) return false;
  std::snprintf(whole + length, sizeof whole - static_cast<size_t>(length), "/%s", path);
  return strikes(call, whole);
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

int mkdir(const char* path, mode_t mode) noexcept {
  if (strikes("mkdir", path)) return fail();
  return static_cast<int>(::syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}

int rename(const char* from, const char* to) {
  if (strikes("rename", from)) return fail();
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0u));
}

int link(const char* from, const char* to) noexcept {
  if (strikes("link", from)) return fail();
  return static_cast<int>(::syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int unlink(const char* path) noexcept {
  if (strikes("unlink", path)) return fail();
  return static_cast<int>(::syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

int rmdir(const char* path) noexcept {
  if (strikes("unlink", path)) return fail();
  return static_cast<int>(::syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR));
}

int unlinkat(int folder_fd, const char* path, int flags) noexcept {
  if (strikes_at("unlink", folder_fd, path)) return fail();
  return static_cast<int>(::syscall(SYS_unlinkat, folder_fd, path, flags));
}

int remove(const char* path) noexcept {
  if (strikes("unlink", path)) return fail();
  if (::syscall(SYS_unlinkat, AT_FDCWD, path, 0) == 0) return 0;
  if (errno != EISDIR) return -1;
  return static_cast<int>(::syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR));
}

int renameat2(int from_fd, const char* from, int to_fd, const char* to, unsigned flags) {
  if (strikes("rename", from)) return fail();
  return static_cast<int>(::syscall(SYS_renameat2, from_fd, from, to_fd, to, flags));
}

}  // extern "C"
