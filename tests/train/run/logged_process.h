// logged_run in a process of its own, with what it says of its samples.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace penstock::train::tests {

/// When and how a process is ended.
struct Ending {
  int signal_number = 0;
  /// Sent when it has said so many lines.
  std::uint64_t num_lines = 1;
  /// It holds still there until the signal comes; else it runs on meanwhile.
  bool holds_still = false;
};

/// All that a process has said, and how it ended.
struct EndedProcess {
  std::vector<std::string> lines;
  int exit_code = -1;  // 128 + signal when a signal ended it
};

/// Begins the run of `run_file` in `out`, or goes on with it, and waits for its end.
EndedProcess run_logged(const std::filesystem::path& run_file, const std::filesystem::path& out,
                        const std::optional<Ending>& ending = {});

}  // namespace penstock::train::tests
