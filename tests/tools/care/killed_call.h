// Ends the process with SIGKILL at the n-th system call of those that publish or remove files: rename, renameat2,
// link, unlink, remove, fsync.
#pragma once

#include <cstdint>
#include <functional>

namespace penstock::tests {

/// What the file system under the child can do.
enum class FileSystemKind {
  kAsItIs,
  kPlainRenames,  // no second names (link), no exchange, as on FAT: those calls fail
};

/// Runs `work` in a child, which is killed just before such a call number `call`, counted from 0. Returns whether
/// it was: false when there were fewer. A `work` that throws fails the test.
bool is_killed_at_call(std::uint64_t call, FileSystemKind kind, const std::function<void()>& work);

}  // namespace penstock::tests
