#include "tools/convert/source/listed_files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/memory_budget.h"
#include "tools/convert/source/row_path.h"
#include "tools/convert/source/source_fault.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

std::string ascii_upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

class Lookup {
 public:
  Lookup(const std::filesystem::path& folder, std::uint64_t room_bytes)
      : folder_(folder),
        fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
        room_bytes_(room_bytes) {
    if (!fd_) throw_io_error(errno, "open folder", tools::printable_path(folder));
    scan_.root = folder_id(fd_.get(), folder);
  }

  void add(const std::vector<RowPath>& paths) {
    for (const RowPath& one : paths) {
      if (add_if_there(one.path)) return;
      if (has_tried_extension(one.path)) continue;
      bool is_there = false;
      for (const std::string_view extension : tried_extensions()) {
        is_there |= add_if_there(one.path + std::string(extension));
        is_there |= add_if_there(one.path + ascii_upper(extension));
      }
      if (is_there) return;
    }
  }

  FolderScan take() {
    const auto by_path = [](const ScannedFile& a, const ScannedFile& b) { return a.path < b.path; };
    std::sort(scan_.files.begin(), scan_.files.end(), by_path);
    scan_.files.erase(std::unique(scan_.files.begin(), scan_.files.end()), scan_.files.end());
    std::sort(scan_.unreadable.begin(), scan_.unreadable.end());
    const auto same = std::unique(scan_.unreadable.begin(), scan_.unreadable.end());
    scan_.unreadable.erase(same, scan_.unreadable.end());
    take_passed_over();
    return std::move(scan_);
  }

 private:
  // Each once, however many rows name it.
  void take_passed_over() {
    std::ranges::sort(scan_.passed_over, {}, &PassedOverFile::path);
    const auto is_same = [](const PassedOverFile& a, const PassedOverFile& b) {
      return a.path == b.path;
    };
    const auto end = std::unique(scan_.passed_over.begin(), scan_.passed_over.end(), is_same);
    scan_.passed_over.erase(end, scan_.passed_over.end());
    for (const PassedOverFile& file : scan_.passed_over) {
      ++(file.reason == ReasonCode::kSymlink ? scan_.skipped.num_symlinks
                                             : scan_.skipped.num_special);
    }
  }

  bool add_if_there(const std::string& path) {
    struct stat status {};
    if (!is_in_plain_folder(path) || !find(path, status)) return false;
    if (S_ISLNK(status.st_mode)) {
      pass_over(path, ReasonCode::kSymlink);
    } else if (S_ISREG(status.st_mode)) {
      scan_.files.push_back(
          {path, static_cast<std::uint64_t>(status.st_size),
           status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec});
      count(path.size());
      if (::faccessat(fd_.get(), path.c_str(), R_OK, 0) != 0) scan_.unreadable.push_back(path);
      return true;
    } else if (!S_ISDIR(status.st_mode)) {
      pass_over(path, ReasonCode::kSpecialFile);
    }
    return false;
  }

  void pass_over(const std::string& path, ReasonCode reason) {
    scan_.passed_over.push_back({.path = path, .reason = reason});
  }

  // As scan_folder() counts a list.
  void count(std::size_t path_bytes) {
    constexpr std::uint64_t kPerFileBytes = 2 * sizeof(ScannedFile) + 32 + 64;
    list_bytes_ += kPerFileBytes + 2 * path_bytes;
    if (list_bytes_ <= room_bytes_) return;
    throw Error(ErrorCode::kOutOfMemory,
                fmt::format("memory: {}: expected a list of files that fits {}, found more than {} "
                            "files",
                            tools::printable_path(folder_), format_bytes(room_bytes_),
                            tools::format_count(scan_.files.size() - 1)),
                "a larger --memory, or several datasets of a part each");
  }

  // Rows of one folder mostly follow each other: the last answer serves most of them.
  bool is_in_plain_folder(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return true;
    if (path.compare(0, slash, last_folder_) == 0 && last_folder_.size() == slash) {
      return is_last_plain_;
    }
    last_folder_ = path.substr(0, slash);
    is_last_plain_ = true;
    for (std::size_t end = path.find('/'); end <= slash && is_last_plain_;
         end = path.find('/', end + 1)) {
      struct stat status {};
      is_last_plain_ = find(path.substr(0, end), status) && S_ISDIR(status.st_mode);
    }
    return is_last_plain_;
  }

  bool find(const std::string& path, struct stat& status) {
    if (::fstatat(fd_.get(), path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return true;
    if (concerns_one_path(errno)) return false;
    const int error_number = errno;
    throw Error(ErrorCode::kIo,
                "look up: " + tools::printable_path(folder_ / path) + ": " +
                    std::generic_category().message(error_number),
                kSourceFaultHint, error_number);
  }

  std::filesystem::path folder_;
  UniqueFd fd_;
  std::string last_folder_;
  bool is_last_plain_ = false;
  std::uint64_t room_bytes_;
  std::uint64_t list_bytes_ = 0;
  FolderScan scan_;
};

}  // namespace

FolderScan scan_listed_files(const std::filesystem::path& folder, TableReader& table,
                             const std::stop_token& stop, std::uint64_t room_bytes) {
  Lookup lookup(folder, room_bytes);
  for (TableRow row; table.next(row);) {
    if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: scan: on request");
    lookup.add(row_paths(row, table.kind()));
  }
  return lookup.take();
}

}  // namespace penstock::convert
