#include "tools/picture_paths.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "tools/convert/source/folder_scan.h"
#include "tools/terminal.h"

namespace penstock::tools {

namespace fs = std::filesystem;

namespace {

/// How long a stop may go unheard.
constexpr int kPollMs = 100;

void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested())
    throw Error(ErrorCode::kStopped, "predict: stopped on request",
                "the same command starts it again");
}

/// Empty for what nobody takes for a picture.
std::string left_out_text(convert::ReasonCode reason) {
  if (reason == convert::ReasonCode::kSymlink) return "link";
  return reason == convert::ReasonCode::kSpecialFile ? "no regular file" : "";
}

}  // namespace

std::optional<std::string> LineReader::next() {
  while (true) {
    const std::size_t end = buffer_.find('\n');
    if (end == std::string::npos && buffer_.size() <= kMaxLineBytes && refill()) continue;
    if (end == std::string::npos && buffer_.empty()) return std::nullopt;
    ++line_;
    std::string line = buffer_.substr(0, end);
    if (line.find('\0') != std::string::npos) {
      throw Error(ErrorCode::kInvalidArgument,
                  "list: line " + std::to_string(line_) + ": expected a path, found a NUL in it",
                  "one path a line: find without -print0");
    }
    if (line.size() > kMaxLineBytes) {
      throw Error(ErrorCode::kInvalidArgument,
                  "list: line " + std::to_string(line_) + ": expected a path of at most " +
                      format_count(kMaxLineBytes) + " bytes, found more",
                  "one path a line, as find writes them");
    }
    buffer_.erase(0, end == std::string::npos ? end : end + 1);
    if (line.ends_with('\r')) line.pop_back();
    return line;
  }
}

bool LineReader::refill() {
  if (is_at_end_) return false;
  char piece[kMaxLineBytes];
  while (true) {
    check_stop(stop_);
    pollfd waited{.fd = fd_, .events = POLLIN, .revents = 0};
    if (::poll(&waited, 1, kPollMs) == 0) continue;
    const ssize_t num_read = ::read(fd_, piece, sizeof(piece));
    if (num_read < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (num_read < 0) throw_io_error(errno, "list", "standard input");
    is_at_end_ = num_read == 0;
    buffer_.append(piece, static_cast<std::size_t>(num_read));
    return !is_at_end_;
  }
}

PicturePaths::PicturePaths(std::vector<std::string> arguments, int list_fd, MemoryBudget& budget,
                           const std::stop_token& stop)
    : arguments_(std::move(arguments)), list_(list_fd, stop), budget_(budget), stop_(stop) {}

std::optional<PicturePath> PicturePaths::next() {
  while (true) {
    check_stop(stop_);
    if (next_found_ < found_.size()) return std::move(found_[next_found_++]);
    std::optional<std::string> given = next_given();
    if (!given) return std::nullopt;
    std::error_code ignored;  // whoever opens it says what is wrong
    if (!fs::is_directory(*given, ignored)) return PicturePath{.path = std::move(*given)};
    open_folder(*given);
  }
}

std::optional<std::string> PicturePaths::next_given() {
  while (true) {
    if (reads_list_) {
      std::optional<std::string> line = list_.next();
      if (line && line->empty()) continue;
      if (line) return line;
      reads_list_ = false;
    }
    if (next_argument_ == arguments_.size()) return std::nullopt;
    const std::string& argument = arguments_[next_argument_++];
    if (argument != "-") return argument;
    reads_list_ = true;
  }
}

void PicturePaths::open_folder(const std::string& folder) {
  found_.clear();
  next_found_ = 0;
  found_share_.reset();
  convert::FolderScan scan;
  try {
    scan = convert::scan_folder(folder, stop_, budget_.room().left_bytes);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kOutOfMemory) throw;
    throw Error(error.code(), error.what(),
                "a larger --memory, or a list: find " + shell_quoted(folder) +
                    " -type f | penstock predict RUN -");
  }
  std::uint64_t bytes = 0;
  for (const convert::UnreadableFolder& one : scan.unreadable_folders) {
    const std::string path = fs::path(folder) / one.path;
    found_.push_back({.path = path, .is_found = true, .fault = "folder: " + path + ": " + one.why});
  }
  for (convert::ScannedFile& file : scan.files) {
    found_.push_back({.path = fs::path(folder) / file.path, .is_found = true});
    file.path = {};
    bytes += found_.back().path.size() + 1;
  }
  for (const convert::PassedOverFile& one : scan.passed_over) {
    const std::string what = left_out_text(one.reason);
    if (what.empty()) continue;
    found_.push_back({.path = fs::path(folder) / one.path, .is_found = true, .left_out = what});
    bytes += found_.back().path.size() + 1;
  }
  bytes += found_.capacity() * sizeof(PicturePath);
  scan = {};
  found_share_ = budget_.draw(bytes, "paths of a folder's files");
}

}  // namespace penstock::tools
