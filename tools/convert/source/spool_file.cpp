#include "tools/convert/source/spool_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;
using tools::printable_path;

constexpr std::uint64_t kStepBytes = std::uint64_t{64} << 20;

// Where the file system knows no file without a name, one whose name is taken away at once.
UniqueFd open_without_name(const fs::path& folder) {
  UniqueFd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file) return file;
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) {
    throw_io_error(errno, "spool", printable_path(folder));
  }
  std::string pattern = (folder / ".penstock-spool-XXXXXX").string();
  UniqueFd named(::mkostemp(pattern.data(), O_CLOEXEC));
  if (!named) throw_io_error(errno, "spool", printable_path(folder));
  if (::unlink(pattern.c_str()) != 0) throw_io_error(errno, "spool", printable_path(pattern));
  return named;
}

std::uint64_t half_of_free_bytes(const fs::path& folder) {
  struct statvfs status {};
  if (::statvfs(folder.c_str(), &status) != 0) {
    throw_io_error(errno, "free space", printable_path(folder));
  }
  return std::uint64_t{status.f_bavail} * status.f_frsize / 2;
}

}  // namespace

SpoolFile::SpoolFile(const SpoolConfig& config)
    : where_(config.folder.empty() ? fs::path(".") : config.folder),
      file_(open_without_name(where_)),
      limit_bytes_(config.limit_bytes == 0 ? half_of_free_bytes(where_) : config.limit_bytes) {}

void SpoolFile::append(std::span<const std::byte> bytes) {
  const std::uint64_t end_bytes = size_bytes_ + bytes.size();
  if (end_bytes > limit_bytes_) {
    throw Error(ErrorCode::kIo,
                fmt::format("spool: {}: expected members of at most {} together, found more",
                            printable_path(where_), format_bytes(limit_bytes_)),
                "the members of a compressed archive are kept there while it is converted, in half "
                "of the free space: free some, or name a DATASET on a larger disk",
                ENOSPC);
  }
  if (end_bytes > allocated_bytes_) allocate(end_bytes);
  write_at(file_, size_bytes_, bytes, where_);
  size_bytes_ = end_bytes;
}

void SpoolFile::allocate(std::uint64_t size_bytes) {
  const std::uint64_t up_to = std::min(
      limit_bytes_, std::max(size_bytes, allocated_bytes_ + std::max(kStepBytes, size_bytes / 8)));
  const int code = ::posix_fallocate(file_.get(), static_cast<off_t>(allocated_bytes_),
                                     static_cast<off_t>(up_to - allocated_bytes_));
  if (code != 0) throw_io_error(code, "spool", printable_path(where_));
  allocated_bytes_ = up_to;
}

std::size_t SpoolFile::read_at(std::uint64_t offset_bytes, std::span<std::byte> bytes) const {
  const std::uint64_t left = size_bytes_ - std::min(size_bytes_, offset_bytes);
  const auto wanted = bytes.first(std::min<std::uint64_t>(left, bytes.size()));
  return penstock::read_at(file_, offset_bytes, wanted, where_);
}

}  // namespace penstock::convert
