#include "tools/convert/source/folder_scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/shell_quoted.h"
#include "tools/convert/source/name_kind.h"
#include "tools/convert/source/source_fault.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};
using UniqueFolder = std::unique_ptr<DIR, CloseFolder>;

class Walk {
 public:
  Walk(const std::filesystem::path& source, const std::stop_token& stop, std::uint64_t room_bytes)
      : source_(source), stop_(stop), room_bytes_(room_bytes) {}

  FolderScan run() {
    std::vector<std::string> open = {""};
    while (!open.empty()) {
      const std::string folder = std::move(open.back());
      open.pop_back();
      list(folder, open);
    }
    std::sort(scan_.files.begin(), scan_.files.end(),
              [](const ScannedFile& a, const ScannedFile& b) { return a.path < b.path; });
    std::sort(scan_.folders.begin(), scan_.folders.end());
    std::sort(scan_.passed_over.begin(), scan_.passed_over.end(),
              [](const PassedOverFile& a, const PassedOverFile& b) { return a.path < b.path; });
    std::sort(scan_.unreadable.begin(), scan_.unreadable.end());
    std::sort(scan_.unreadable_folders.begin(), scan_.unreadable_folders.end(),
              [](const UnreadableFolder& a, const UnreadableFolder& b) { return a.path < b.path; });
    return std::move(scan_);
  }

 private:
  void list(const std::string& folder, std::vector<std::string>& open) {
    const std::filesystem::path full = source_ / folder;
    const UniqueFolder entries(::opendir(full.c_str()));
    if (!entries) return add_unreadable(folder, "open folder", errno);
    if (folder.empty()) scan_.root = folder_id(::dirfd(entries.get()), full);
    while (true) {
      if (stop_.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: scan: on request");
      errno = 0;
      const dirent* const entry = ::readdir(entries.get());
      if (entry == nullptr && errno != 0) throw_fault(folder, "list folder", errno);
      if (entry == nullptr) return;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      const std::string path = folder.empty() ? std::string(name) : folder + '/' + entry->d_name;
      struct stat status {};
      if (::fstatat(::dirfd(entries.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        add(::dirfd(entries.get()), entry->d_name, path, status, open);
      } else if (errno != ENOENT) {  // gone since it was listed
        // A folder that may be listed but not entered.
        return add_unreadable(folder, "look into folder", errno);
      }
    }
  }

  void add(int folder_fd, const char* name, const std::string& path, const struct stat& status,
           std::vector<std::string>& open) {
    const NameKind kind = name_kind(name);
    const auto pass_over = [&](std::uint64_t& num_of_kind, ReasonCode reason) {
      ++num_of_kind;
      count(sizeof(PassedOverFile), path.size());
      const bool has_size = S_ISREG(status.st_mode);
      scan_.passed_over.push_back({is_folder(folder_fd, name, status) ? path + '/' : path, reason,
                                   has_size ? static_cast<std::uint64_t>(status.st_size) : 0});
    };
    if (kind == NameKind::kSystem) {
      pass_over(scan_.skipped.num_system, ReasonCode::kSystemFile);
    } else if (kind == NameKind::kHidden) {
      pass_over(scan_.skipped.num_hidden, ReasonCode::kHiddenFile);
    } else if (S_ISDIR(status.st_mode)) {
      scan_.folders.push_back(path);
      open.push_back(path);
    } else if (S_ISLNK(status.st_mode)) {
      pass_over(scan_.skipped.num_symlinks, ReasonCode::kSymlink);
    } else if (!S_ISREG(status.st_mode)) {
      pass_over(scan_.skipped.num_special, ReasonCode::kSpecialFile);
    } else {
      scan_.files.push_back(
          {path, static_cast<std::uint64_t>(status.st_size),
           status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec});
      constexpr std::uint64_t kPackedBytes = 64;  // in the list that is made of this one
      count(sizeof(ScannedFile) + kPackedBytes / 2, path.size());
      if (::faccessat(folder_fd, name, R_OK, 0) == 0) return;
      count(sizeof(std::string), path.size());
      scan_.unreadable.push_back(path);
    }
  }

  // Itself, or what a link leads to.
  static bool is_folder(int folder_fd, const char* name, struct stat status) {
    if (S_ISLNK(status.st_mode) && ::fstatat(folder_fd, name, &status, 0) != 0) return false;
    return S_ISDIR(status.st_mode);
  }

  // What one entry takes: its place in a vector that grows, its path on the heap, and that once more in
  // what is made of it.
  void count(std::size_t entry_bytes, std::size_t path_bytes) {
    constexpr std::uint64_t kHeapBytes = 32;
    list_bytes_ += 2 * entry_bytes + kHeapBytes + 2 * path_bytes;
    ++num_listed_;
    if (list_bytes_ <= room_bytes_) return;
    throw Error(ErrorCode::kOutOfMemory,
                fmt::format("memory: {}: expected a list of files that fits {}, found more than {} "
                            "files, {} each",
                            tools::printable_path(source_), format_bytes(room_bytes_),
                            num_listed_ - 1, format_bytes(list_bytes_ / num_listed_)),
                "a larger --memory, or several datasets of a part each");
  }

  // Without the source itself there is nothing to go on with.
  void add_unreadable(const std::string& folder, const char* what, int error_number) {
    if (folder.empty() || !concerns_one_path(error_number)) throw_fault(folder, what, error_number);
    scan_.unreadable_folders.push_back({folder, std::generic_category().message(error_number)});
  }

  [[noreturn]] void throw_fault(const std::string& folder, const char* what, int error_number) {
    const std::filesystem::path full = source_ / folder;
    try {
      throw_io_error(error_number, what, tools::printable_path(full));
    } catch (const Error& error) {
      const std::string hint =
          concerns_one_path(error_number)
              ? "see who may do what there: namei -l " + shell_quoted(full.native())
              : kSourceFaultHint;
      throw Error(error.code(), error.what(), hint, error_number);
    }
  }

  std::filesystem::path source_;
  std::stop_token stop_;
  std::uint64_t room_bytes_;
  std::uint64_t list_bytes_ = 0;
  std::uint64_t num_listed_ = 0;
  FolderScan scan_;
};

}  // namespace

std::uint64_t FolderScan::total_bytes() const noexcept {
  std::uint64_t total = 0;
  for (const ScannedFile& file : files) total += file.size_bytes;
  return total;
}

FolderScan scan_folder(const std::filesystem::path& source, const std::stop_token& stop,
                       std::uint64_t room_bytes) {
  return Walk(source, stop, room_bytes).run();
}

}  // namespace penstock::convert
