#include "tests/tools/care/killed_call.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <exception>

namespace penstock::tests {
namespace {

// Set in the child alone; a child of its own, as HDF5 works in, counts nothing.
std::atomic<pid_t> counted_process = 0;
std::atomic<std::uint64_t> num_calls_left = 0;
std::atomic<bool> knows_plain_renames_only = false;

// For calls that such a file system does not know.
bool refuses(int error_number) {
  if (counted_process != ::getpid() || !knows_plain_renames_only) return false;
  errno = error_number;
  return true;
}

void count_call() {
  if (counted_process != ::getpid()) return;
  if (num_calls_left-- > 0) return;
  ::kill(::getpid(), SIGKILL);
  while (true) ::pause();
}

// The C library's own, behind the name that is taken here (dlsym(3), RTLD_NEXT).
template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

bool is_killed_at_call(std::uint64_t call, FileSystemKind kind, const std::function<void()>& work) {
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    num_calls_left = call;
    knows_plain_renames_only = kind == FileSystemKind::kPlainRenames;
    counted_process = ::getpid();
    try {
      work();
    } catch (const std::exception&) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status)) {
    BOOST_REQUIRE(WTERMSIG(status) == SIGKILL);
    return true;
  }
  BOOST_REQUIRE(WEXITSTATUS(status) == 0);
  return false;
}

}  // namespace penstock::tests

extern "C" {

int rename(const char* from, const char* to) noexcept {
  penstock::tests::count_call();
  return penstock::tests::real<int(const char*, const char*)>("rename")(from, to);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  if (penstock::tests::refuses(EINVAL)) return -1;
  penstock::tests::count_call();
  return penstock::tests::real<int(int, const char*, int, const char*, unsigned)>("renameat2")(
      from_folder, from, to_folder, to, flags);
}

int link(const char* from, const char* to) noexcept {
  if (penstock::tests::refuses(EPERM)) return -1;
  penstock::tests::count_call();
  return penstock::tests::real<int(const char*, const char*)>("link")(from, to);
}

int unlink(const char* path) noexcept {
  penstock::tests::count_call();
  return penstock::tests::real<int(const char*)>("unlink")(path);
}

int remove(const char* path) noexcept {
  penstock::tests::count_call();
  return penstock::tests::real<int(const char*)>("remove")(path);
}

int fsync(int file) {
  penstock::tests::count_call();
  return penstock::tests::real<int(int)>("fsync")(file);
}

}  // extern "C"
