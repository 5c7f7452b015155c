#include "streamer/core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <thread>

#include "streamer/core/error.h"

namespace penstock {
namespace {

[[noreturn]] void throw_open_error(int error_number, const char* what,
                                   const std::filesystem::path& path) {
  if (error_number == EMFILE) {
    throw Error(ErrorCode::kIo,
                std::string(what) + ": " + path.native() + ": expected a free file descriptor, " +
                    "found the limit of this process reached",
                "raise the limit of open files: ulimit -n 65536", error_number);
  }
  throw_io_error(error_number, what, path.native());
}

int open_uninterrupted(const char* path, int flags, mode_t mode = 0) noexcept {
  int fd = -1;
  do {
    fd = ::open(path, flags, mode);
  } while (fd < 0 && errno == EINTR);  // a slow server: NFS, FUSE
  return fd;
}

struct stat status_of(const UniqueFd& file, const std::filesystem::path& path) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) throw_io_error(errno, "stat", path.native());
  return info;
}

// Regular files are not read without blocking, yet some file systems answer EAGAIN. Waits 1, 2, 4...
// 32 ms, 63 ms together: a loader has to stop within 100 ms.
class RetryPause {
 public:
  // False when it was waited often enough.
  bool wait() {
    if (pause_ > kLongest) return false;
    std::this_thread::sleep_for(pause_);
    pause_ *= 2;
    return true;
  }

 private:
  static constexpr std::chrono::milliseconds kLongest{32};
  std::chrono::milliseconds pause_{1};
};

}  // namespace

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) ::close(fd_);
}

UniqueFd open_for_reading(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a FIFO must not hang; it has no effect on regular files.
  UniqueFd file(open_uninterrupted(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) throw_open_error(errno, "open", path);
  if (!S_ISREG(status_of(file, path).st_mode)) {
    throw Error(ErrorCode::kIo, "open: " + path.native() + ": expected a regular file");
  }
  return file;
}

UniqueFd create_new_file(const std::filesystem::path& path) {
  UniqueFd file(open_uninterrupted(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (file) return file;
  if (errno == EEXIST) {
    throw Error(ErrorCode::kAlreadyExists, "create: " + path.native() + ": expected no such file");
  }
  throw_open_error(errno, "create", path);
}

std::uint64_t file_size_bytes(const UniqueFd& file, const std::filesystem::path& path) {
  return static_cast<std::uint64_t>(status_of(file, path).st_size);
}

FileStamp file_stamp(const UniqueFd& file, const std::filesystem::path& path) {
  const struct stat info = status_of(file, path);
  return {.size_bytes = static_cast<std::uint64_t>(info.st_size),
          .modified_ns = info.st_mtim.tv_sec * std::int64_t{1'000'000'000} + info.st_mtim.tv_nsec};
}

std::size_t read_at(const UniqueFd& file, std::uint64_t offset, std::span<std::byte> bytes,
                    const std::filesystem::path& path) {
  std::size_t done = 0;
  RetryPause pause;
  while (done < bytes.size()) {
    const ssize_t got = ::pread(file.get(), bytes.data() + done, bytes.size() - done,
                                static_cast<off_t>(offset + done));
    if (got == 0) break;
    if (got > 0) {
      done += static_cast<std::size_t>(got);
    } else if (const int error = errno; error != EINTR && !(error == EAGAIN && pause.wait())) {
      throw_io_error(error, "read", path.native() + " at offset " + std::to_string(offset + done));
    }
  }
  return done;
}

void write_at(const UniqueFd& file, std::uint64_t offset, std::span<const std::byte> bytes,
              const std::filesystem::path& path) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put = ::pwrite(file.get(), bytes.data() + done, bytes.size() - done,
                                 static_cast<off_t>(offset + done));
    if (put > 0) {
      done += static_cast<std::size_t>(put);
    } else if (put == 0 || errno != EINTR) {
      // Nothing written and no reason given: to go on would be to turn in a circle.
      throw_io_error(put == 0 ? EIO : errno, "write",
                     path.native() + " at offset " + std::to_string(offset + done));
    }
  }
}

void sync_file(const UniqueFd& file, const std::filesystem::path& path) {
  if (::fsync(file.get()) != 0) throw_io_error(errno, "fsync", path.native());
}

void sync_folder(const std::filesystem::path& folder) {
  const char* const name = folder.empty() ? "." : folder.c_str();
  const UniqueFd fd(open_uninterrupted(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) throw_open_error(errno, "open folder", folder);
  // EINVAL: a file system without fsync on folders; there is nothing more to ask of it.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) throw_io_error(errno, "fsync", folder.native());
}

void rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    throw_io_error(errno, "rename", from.native() + " to " + to.native());
  }
}

// EINVAL: a file system (NFS, for one). ENOSYS: such a kernel or sandbox; glibc makes EINVAL of it,
// other C libraries do not.
bool knows_plain_renames_only(int error_number) noexcept {
  return error_number == EINVAL || error_number == ENOSYS;
}

void rename_to_new(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
  const int error_number = errno;  // exists() may change it
  if (!knows_plain_renames_only(error_number) || std::filesystem::exists(to)) {
    throw_io_error(error_number, "rename to", to.native());
  }
  if (::rename(from.c_str(), to.c_str()) != 0) throw_io_error(errno, "rename to", to.native());
}

void publish_by_rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  rename_file(from, to);
  sync_folder(to.parent_path());
}

void publish_file(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::path temporary = path;
  temporary += ".tmp";
  ::unlink(temporary.c_str());  // left behind by a process that died
  try {
    const UniqueFd file = create_new_file(temporary);
    write_at(file, 0, std::as_bytes(std::span(text)), temporary);
    sync_file(file, temporary);
    publish_by_rename(temporary, path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

std::string read_text_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  const UniqueFd file = open_for_reading(path);
  const std::uint64_t size = file_size_bytes(file, path);
  if (size > max_bytes) {
    throw Error(ErrorCode::kCorruptData, "read: " + path.native() + ": expected at most " +
                                             std::to_string(max_bytes) + " bytes, found " +
                                             std::to_string(size));
  }
  std::string text(size, '\0');
  text.resize(read_at(file, 0, std::as_writable_bytes(std::span(text)), path));
  return text;
}

}  // namespace penstock
