#include "tools/terminal.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "streamer/core/utf8.h"

namespace penstock::tools {
namespace {

constexpr std::chrono::milliseconds kTerminalInterval{100};
constexpr std::chrono::seconds kPlainInterval{10};
constexpr std::size_t kWidthWhenUnknown = 80;

std::size_t terminal_width(std::FILE* stream) {
  winsize size{};
  if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return kWidthWhenUnknown;
  }
  return size.ws_col;
}

// Cuts to `width` code points: near enough to columns for a progress line.
std::string_view cut_to_width(std::string_view text, std::size_t width) {
  std::size_t at = 0;
  for (std::size_t column = 0; at < text.size() && column < width; ++column) {
    at += std::max<std::size_t>(1, utf8_character_bytes(text, at));
  }
  return text.substr(0, std::min(at, text.size()));
}

enum class Backslash { kKept, kDoubled };

std::string escaped(std::string_view text, Backslash backslash) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = visible_character_bytes(text, at);
    if (length == 0) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
    } else {
      if (text[at] == '\\' && backslash == Backslash::kDoubled) result += '\\';
      result += text.substr(at, length);
    }
    at += std::max<std::size_t>(1, length);
  }
  return result;
}

void write_line(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fputc('\n', stream);
  std::fflush(stream);
}

}  // namespace

ProgressLine::ProgressLine(Verbosity verbosity, std::FILE* stream)
    : stream_(stream),
      is_quiet_(verbosity == Verbosity::kQuiet),
      is_terminal_(::isatty(::fileno(stream)) == 1) {
  next_update_ = std::chrono::steady_clock::now();
  // Where lines stay, a short task needs none but the last.
  if (!is_terminal_) next_update_ += kPlainInterval;
}

ProgressLine::~ProgressLine() {
  if (!is_line_open_) return;
  std::fputs("\r\x1b[K", stream_);
  std::fflush(stream_);
}

bool ProgressLine::is_due() const {
  return !is_quiet_ && std::chrono::steady_clock::now() >= next_update_;
}

// One column stays free: many terminals wrap when the last one is written.
std::size_t ProgressLine::width() const {
  return terminal_width(stream_) - 1;
}

void ProgressLine::update(std::string_view text) {
  if (is_quiet_) return;
  const auto now = std::chrono::steady_clock::now();
  if (!is_terminal_) {
    next_update_ = now + kPlainInterval;
    return write_line(stream_, text);
  }
  next_update_ = now + kTerminalInterval;
  const std::string_view shown = cut_to_width(text, width());
  std::fputc('\r', stream_);
  std::fwrite(shown.data(), 1, shown.size(), stream_);
  std::fputs("\x1b[K", stream_);
  std::fflush(stream_);
  is_line_open_ = true;
}

void ProgressLine::end(std::string_view text) {
  if (is_quiet_) return;
  if (is_line_open_) std::fputs("\r\x1b[K", stream_);
  is_line_open_ = false;
  write_line(stream_, text);
}

void print_result(std::string_view text) {
  write_line(stdout, text);
}

bool flush_results() {
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

void print_notice(Verbosity verbosity, std::string_view text, std::FILE* stream) {
  if (verbosity == Verbosity::kNormal) write_line(stream, text);
}

void print_error(std::string_view message, std::string_view hint) {
  // Backslashes stay: much of this went through printable() before, and hints are there to type.
  write_line(stderr, "penstock: " + escaped(message, Backslash::kKept));
  if (!hint.empty()) write_line(stderr, "hint: " + escaped(hint, Backslash::kKept));
}

std::string format_count(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string format_counted(std::uint64_t count, std::string_view singular,
                           std::string_view plural) {
  return fmt::format("{} {}", format_count(count), count == 1 ? singular : plural);
}

std::string format_duration(std::chrono::duration<double> duration) {
  const double seconds = std::max(0.0, duration.count());
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string format_time_left(std::uint64_t done, std::uint64_t left,
                             std::chrono::duration<double> elapsed) {
  if (done == 0) return {};
  return format_duration(elapsed * (static_cast<double>(left) / static_cast<double>(done))) +
         " left";
}

std::string printable(std::string_view text) {
  return escaped(text, Backslash::kDoubled);
}

std::string printable_path(const std::filesystem::path& path) {
  return printable(path.native());
}

}  // namespace penstock::tools
