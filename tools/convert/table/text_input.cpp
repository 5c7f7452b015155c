#include "tools/convert/table/text_input.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "streamer/core/error.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

constexpr std::size_t kPieceBytes = 64u << 10;

}  // namespace

void throw_bad_table(const std::string& where, const std::string& expected_and_found,
                     std::string hint) {
  throw Error(ErrorCode::kCorruptData, "table: " + where + ": " + expected_and_found,
              std::move(hint));
}

TextInput::TextInput(const std::filesystem::path& path)
    : file_(open_for_reading(path)), path_(path), name_(tools::printable_path(path)) {
  skip_byte_order_mark();
}

TextInput::TextInput(std::string_view text, std::string where)
    : name_(std::move(where)), rest_(text) {
  skip_byte_order_mark();
}

void TextInput::skip_byte_order_mark() {
  constexpr std::string_view kUtf8 = "\xEF\xBB\xBF";
  const std::string_view start = lookahead();
  if (start.starts_with(kUtf8)) rest_.remove_prefix(kUtf8.size());
  if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF")) {
    throw_bad_table(name_, "expected text in UTF-8, found UTF-16", "save it again as UTF-8");
  }
}

std::string_view TextInput::lookahead() {
  while (rest_.size() < kPieceBytes && refill()) {
  }
  return rest_;
}

// Keeps what is left and reads behind it.
bool TextInput::refill() {
  if (!file_) return false;
  buffer_.resize(2 * kPieceBytes);
  const std::size_t num_left = rest_.size();
  if (num_left > 0) std::memmove(buffer_.data(), rest_.data(), num_left);
  const std::span<char> free = std::span(buffer_).subspan(num_left);
  const std::size_t num_read = read_at(file_, offset_, std::as_writable_bytes(free), path_);
  offset_ += num_read;
  rest_ = std::string_view(buffer_.data(), num_left + num_read);
  return num_read > 0;
}

int TextInput::peek() {
  if (rest_.empty() && !refill()) return -1;
  return static_cast<unsigned char>(rest_.front());
}

int TextInput::get() {
  const int byte = peek();
  if (byte < 0) return byte;
  rest_.remove_prefix(1);
  if (byte == '\n' || (byte == '\r' && peek() != '\n')) ++line_;
  return byte;
}

bool TextInput::read_line(std::string& line) {
  const std::uint64_t number = line_;
  bool is_too_long = false;
  const bool is_there = read_line(line, is_too_long);
  if (is_too_long) {
    throw_bad_table(where(number), kTooLongLine, "is it a table of text?");
  }
  return is_there;
}

bool TextInput::read_line(std::string& line, bool& is_too_long) {
  line.clear();
  is_too_long = false;
  if (peek() < 0) return false;
  const std::uint64_t number = line_;
  while (true) {
    const std::size_t end =
        std::min(rest_.find_first_of(std::string_view("\r\n\0", 3)), rest_.size());
    is_too_long |= line.size() + end > kMaxLineBytes;
    if (is_too_long) {
      line.clear();
    } else {
      line += rest_.substr(0, end);
    }
    rest_.remove_prefix(end);
    const int byte = peek();
    if (byte == 0) {
      throw_bad_table(where(number), "expected text, found a zero byte", "is it a table of text?");
    }
    if (byte < 0) return true;
    if (byte == '\r' || byte == '\n') {
      if (get() == '\r' && peek() == '\n') get();
      return true;
    }
  }
}

std::string TextInput::where(std::uint64_t line) const {
  return name_ + ":" + std::to_string(line);
}

}  // namespace penstock::convert
