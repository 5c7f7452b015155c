// What the user sees: results on stdout, progress and errors on stderr. One line that rewrites
// itself on a terminal, plain lines elsewhere. Knows nothing of what is being reported.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

namespace penstock::tools {

enum class Verbosity { kNormal, kQuiet };

/// Shows how far something is, on stderr.
///
/// On a terminal the line is rewritten in place, at most ten times a second; elsewhere a plain line
/// is written every ten seconds. Quiet: nothing at all.
/// Threads  one at a time
class ProgressLine {
 public:
  explicit ProgressLine(Verbosity verbosity, std::FILE* stream = stderr);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();  // clears a line that was not ended

  /// True when update() would show something now: saves making the text.
  bool is_due() const;
  /// Shows `text` now, cut to the terminal's width.
  void update(std::string_view text);
  /// Ends the line: `text` stays on the screen.
  void end(std::string_view text);
  bool is_terminal() const noexcept { return is_terminal_; }
  /// Columns that update() shows: all but one of the terminal, 79 where the width is not known.
  std::size_t width() const;

 private:
  std::FILE* stream_;
  bool is_quiet_;
  bool is_terminal_;
  bool is_line_open_ = false;
  std::chrono::steady_clock::time_point next_update_;
};

/// Writes `text` and a newline to stdout.
void print_result(std::string_view text);
/// Whether all results reached their reader: not so with a full disk or a closed pipe.
bool flush_results();
/// Writes `text` and a newline to stderr unless quiet.
void print_notice(Verbosity verbosity, std::string_view text, std::FILE* stream = stderr);
/// Writes `penstock: message` and, when there is one, `hint: hint` to stderr, one line each:
/// whatever names and paths hold, control characters and bytes that are no UTF-8 become \xNN.
void print_error(std::string_view message, std::string_view hint);

/// Formats as "3,068".
std::string format_count(std::uint64_t count);
/// Formats as "1 file", "3,068 files".
std::string format_counted(std::uint64_t count, std::string_view singular, std::string_view plural);
/// Formats as "0.8 s", "12 s", "3 min 05 s", "2 h 03 min".
std::string format_duration(std::chrono::duration<double> duration);
/// Formats the time that `left` more take at the speed of the first `done`: "12 s left"; empty
/// while nothing is done.
std::string format_time_left(std::uint64_t done, std::uint64_t left,
                             std::chrono::duration<double> elapsed);
/// Makes `text` safe for a line on a terminal: control characters and bytes that are no UTF-8 are
/// written as \xNN, a backslash as two.
std::string printable(std::string_view text);
std::string printable_path(const std::filesystem::path& path);

}  // namespace penstock::tools
