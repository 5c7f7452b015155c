#include "train/graph/toml_depth.h"

#include <algorithm>
#include <vector>

namespace penstock::train {
namespace {

/// Reads text character by character and keeps how deep it stands.
class DepthCount {
 public:
  explicit DepthCount(std::string_view text) : text_(text) {}

  std::optional<std::uint64_t> line_beyond() {
    while (at_ < text_.size()) {
      read_one();
      if (depth() > kMaxTomlDepth) return line_;
    }
    return std::nullopt;
  }

 private:
  /// A value is one level below its table; dots, brackets and the header's parts are those above.
  std::uint64_t depth() const {
    return 1 + num_header_parts_ + (open_.empty() ? 0 : open_.back()) + num_key_dots_;
  }

  void read_one() {
    const char c = text_[at_];
    if (c == '"' || c == '\'') {
      is_line_start_ = false;
      return skip_string(c);
    }
    ++at_;
    if (c == '\n') return end_line();
    if (c == ' ' || c == '\t') return;
    const bool begins_line = is_line_start_;
    is_line_start_ = false;
    if (c == '#') {
      skip_comment();
    } else if (c == '.') {  // those of numbers too: one more level does no harm
      ++(is_header_ ? num_header_parts_ : num_key_dots_);
    } else if (c == '[' && begins_line && open_.empty()) {
      is_header_ = true;
      num_header_parts_ = 1;
    } else if ((c == '[' || c == '{') && !is_header_) {
      open_.push_back((open_.empty() ? 0 : open_.back()) + num_key_dots_ + 1);
      num_key_dots_ = 0;
    } else if ((c == ']' || c == '}') && !open_.empty()) {
      open_.pop_back();
      num_key_dots_ = 0;
    } else if (c == ',') {
      num_key_dots_ = 0;
    }
  }

  void end_line() {
    ++line_;
    if (!open_.empty()) return;  // within brackets only a comma ends a value
    is_line_start_ = true;
    is_header_ = false;
    num_key_dots_ = 0;
  }

  void skip_comment() { at_ = std::min(text_.find('\n', at_), text_.size()); }

  /// One that is not closed ends with its line, and the parser has found an error.
  void skip_string(char quote) {
    const std::string_view fence = quote == '"' ? R"(""")" : "'''";
    const bool has_lines = text_.substr(at_).starts_with(fence);
    at_ += has_lines ? fence.size() : 1;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n' && !has_lines) return;
      if (c == '\n') ++line_;
      if (c == '\\' && quote == '"') {
        ++at_;
        if (at_ < text_.size() && text_[at_] == '\n') ++line_;
      } else if (c == quote && !has_lines) {
        ++at_;
        return;
      } else if (c == quote && text_.substr(at_).starts_with(fence)) {
        at_ += fence.size();
        // The text may end in two quotes of its own.
        for (int i = 0; i < 2 && at_ < text_.size() && text_[at_] == quote; ++i) ++at_;
        return;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint64_t line_ = 1;
  bool is_line_start_ = true;
  bool is_header_ = false;
  std::uint64_t num_header_parts_ = 0;
  std::uint64_t num_key_dots_ = 0;
  std::vector<std::uint64_t> open_;  // the depth within each bracket that is not closed
};

}  // namespace

std::optional<std::uint64_t> line_beyond_toml_depth(std::string_view text) {
  return DepthCount(text).line_beyond();
}

}  // namespace penstock::train
