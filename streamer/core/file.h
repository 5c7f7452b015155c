// Files by descriptor: positioned reads that finish, and publishing a file whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace penstock {

/// Owns a file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd();

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// Opens an existing regular file for reading; throws NotFound or Io.
UniqueFd open_for_reading(const std::filesystem::path& path);

/// Creates a file that must not exist, for reading and writing; throws AlreadyExists or Io.
UniqueFd create_new_file(const std::filesystem::path& path);

std::uint64_t file_size_bytes(const UniqueFd& file, const std::filesystem::path& path);

/// What differs when an open file has been written to, as far as the file system tells.
struct FileStamp {
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  // since 1970, as the file system counts

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
FileStamp file_stamp(const UniqueFd& file, const std::filesystem::path& path);

/// Fills `bytes` from `offset`; retries short reads and EINTR, and EAGAIN for a moment. Returns the
/// number of bytes read, fewer only at the end of the file; throws Io naming path and offset.
std::size_t read_at(const UniqueFd& file, std::uint64_t offset, std::span<std::byte> bytes,
                    const std::filesystem::path& path);

/// Writes all of `bytes` at `offset`; throws Io.
void write_at(const UniqueFd& file, std::uint64_t offset, std::span<const std::byte> bytes,
              const std::filesystem::path& path);

/// Flushes the file's data and size to the disk; throws Io.
void sync_file(const UniqueFd& file, const std::filesystem::path& path);

/// Flushes a folder's entries to the disk, so that a rename in it lasts; throws Io. An empty path
/// is the working folder.
void sync_folder(const std::filesystem::path& folder);

/// Renames, over an existing file too; throws Io. sync_folder() makes it last.
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// Whether renameat2() failed because the file system knows plain renames only.
bool knows_plain_renames_only(int error_number) noexcept;

/// Renames to what must not be there yet, an empty folder included; throws Io. File systems that
/// know plain renames only leave a moment in which something appears and is replaced.
void rename_to_new(const std::filesystem::path& from, const std::filesystem::path& to);

/// Renames and flushes the folder: `to` is the old file or the new one, never a piece.
void publish_by_rename(const std::filesystem::path& from, const std::filesystem::path& to);

/// Writes a small file whole: temporary name, fsync, rename, fsync of the folder. On an error the
/// temporary file is removed.
void publish_file(const std::filesystem::path& path, std::string_view text);

/// Reads a small file; throws CorruptData above `max_bytes`.
std::string read_text_file(const std::filesystem::path& path, std::uint64_t max_bytes = 64u << 20);

}  // namespace penstock
