// Which pictures `penstock predict` was asked about: files, folders, a list. Knows nothing of what is in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "streamer/core/memory_budget.h"

namespace penstock::tools {

/// Lines of a pipe or a file, as they come.
class LineReader {
 public:
  /// Above Linux's PATH_MAX, which no path passes.
  static constexpr std::size_t kMaxLineBytes = 4096;

  /// `fd` is borrowed. A stop ends the waiting for more.
  LineReader(int fd, std::stop_token stop) : fd_(fd), stop_(std::move(stop)) {}

  /// Returns the next line without its end (LF or CR LF), or nothing at the end.
  /// Errors  InvalidArgument for a line above kMaxLineBytes or with a NUL, naming it; Io; Stopped
  std::optional<std::string> next();

 private:
  bool refill();

  int fd_;
  std::stop_token stop_;
  std::string buffer_;  // what was read and not yet given out
  std::uint64_t line_ = 0;
  bool is_at_end_ = false;
};

struct PicturePath {
  std::string path;
  /// Found in a folder, where files that are no pictures may lie too.
  bool is_found = false;
  /// Why it cannot even be looked at; mostly empty.
  std::string fault = {};
  /// What it is where it is no regular file, and is not opened; mostly empty.
  std::string left_out = {};
};

/// Goes through arguments in their order. A folder stands for all files beneath it, sorted by the bytes of
/// their paths, then what convert passes over too: links, FIFOs, sockets and devices, each with `left_out`.
/// Hidden ones and system files are not there at all. "-" stands for the list, one path a line, empty lines
/// passed over.
class PicturePaths {
 public:
  /// Files of one folder at a time are drawn from `budget`, which outlives it.
  PicturePaths(std::vector<std::string> arguments, int list_fd, MemoryBudget& budget,
               const std::stop_token& stop);

  /// Errors  OutOfMemory for a folder whose list does not fit what is left; those of LineReader; Stopped
  std::optional<PicturePath> next();

 private:
  std::optional<std::string> next_given();
  void open_folder(const std::string& folder);

  std::vector<std::string> arguments_;
  std::size_t next_argument_ = 0;
  bool reads_list_ = false;
  LineReader list_;
  MemoryBudget& budget_;
  std::stop_token stop_;
  std::vector<PicturePath> found_;  // of the folder that is open
  std::size_t next_found_ = 0;
  BudgetShare found_share_;
};

}  // namespace penstock::tools
