#include "tools/convert/source/npy_header.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "streamer/core/error.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

[[noreturn]] void throw_damaged(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kCorruptData, fmt::format("array: {}: {}", where, what),
              "write it again: numpy.save('x.npy', x)");
}

[[noreturn]] void refuse(const std::string& where, const std::string& what, std::string hint) {
  throw Error(ErrorCode::kUnsupported, fmt::format("array: {}: {}", where, what), std::move(hint));
}

// The text of the dictionary, from the cursor on. Every function leaves the cursor behind what it took.
class DictionaryText {
 public:
  DictionaryText(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  bool takes(char c) {
    pass_over_spaces();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void demand(char c) {
    if (!takes(c)) throw_unexpected(fmt::format("'{}'", c));
  }

  bool is_at_end() {
    pass_over_spaces();
    return at_ == text_.size();
  }

  bool is_at(char c) {
    pass_over_spaces();
    return at_ < text_.size() && text_[at_] == c;
  }

  // 'text' or "text", without escapes: no name or type that numpy writes has any.
  std::string_view quoted() {
    pass_over_spaces();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') throw_unexpected("a text in quotes");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) throw_unexpected("a closing quote");
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return inside;
  }

  bool truth() {
    pass_over_spaces();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true},
                                      std::pair<std::string_view, bool>{"False", false}}) {
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return value;
    }
    throw_unexpected("True or False");
  }

  // (), (3,), (3, 4), (3L, 4L) of Python 2.
  std::vector<std::uint64_t> sides() {
    constexpr std::size_t kMaxDimensions = 64;  // numpy's own
    demand('(');
    std::vector<std::uint64_t> sides;
    while (!takes(')')) {
      if (sides.size() == kMaxDimensions) throw_unexpected("at most 64 dimensions");
      sides.push_back(number());
      takes('L');
      if (!takes(',')) {
        demand(')');
        break;
      }
    }
    return sides;
  }

  [[noreturn]] void throw_unexpected(const std::string& expected) const {
    const std::string_view rest = text_.substr(std::min(at_, text_.size()), 24);
    throw_damaged(where_, fmt::format("header: expected {}, found '{}'", expected,
                                      tools::printable(std::string(rest))));
  }

 private:
  void pass_over_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }

  std::uint64_t number() {
    pass_over_spaces();
    std::uint64_t value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc()) throw_unexpected("a side from 0 to 18446744073709551615");
    at_ += static_cast<std::size_t>(end - begin);
    return value;
  }

  std::string_view text_;
  const std::string& where_;
  std::size_t at_ = 0;
};

struct Dictionary {
  std::optional<std::string> descr;
  std::optional<bool> is_fortran_order;
  std::optional<std::vector<std::uint64_t>> shape;
};

template <class T>
void set_once(std::optional<T>& field, T value, std::string_view key, const std::string& where) {
  if (field) throw_damaged(where, fmt::format("header: expected {} once, found it twice", key));
  field = std::move(value);
}

Dictionary read_dictionary(std::string_view text, const std::string& where) {
  DictionaryText from(text, where);
  Dictionary found;
  from.demand('{');
  while (!from.takes('}')) {
    const std::string_view key = from.quoted();
    from.demand(':');
    if (key == "descr") {
      if (from.is_at('[')) {
        refuse(where, "expected numbers or texts, found structures of several fields",
               "save the field alone: numpy.save('x.npy', x['field'])");
      }
      set_once(found.descr, std::string(from.quoted()), key, where);
    } else if (key == "fortran_order") {
      set_once(found.is_fortran_order, from.truth(), key, where);
    } else if (key == "shape") {
      set_once(found.shape, from.sides(), key, where);
    } else {
      throw_damaged(where,
                    fmt::format("header: expected descr, fortran_order and shape, found '{}'",
                                tools::printable(std::string(key))));
    }
    if (!from.takes(',')) {
      from.demand('}');
      break;
    }
  }
  if (!from.is_at_end()) from.throw_unexpected("nothing behind the dictionary");
  if (!found.descr || !found.is_fortran_order || !found.shape) {
    throw_damaged(where, "header: expected descr, fortran_order and shape, found fewer");
  }
  return found;
}

// What is behind the byte order and the letter: a number of bytes, or of characters.
std::uint32_t width_of(std::string_view digits, std::string_view descr, const std::string& where) {
  constexpr std::uint32_t kMaxWidth = 1 << 20;
  std::uint32_t width = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), width);
  if (error != std::errc() || end != digits.data() + digits.size() || width > kMaxWidth) {
    throw_damaged(where, fmt::format("header: expected a type such as <f4, found '{}'",
                                     tools::printable(std::string(descr))));
  }
  return width;
}

// Sets all of `form` but its shape.
void read_type(const std::string& descr, const std::string& where, ArrayForm& form) {
  const char order = descr.empty() ? '\0' : descr[0];
  if (descr.size() < 2 || (order != '<' && order != '>' && order != '|' && order != '=')) {
    throw_damaged(where, fmt::format("header: expected a type such as <f4, found '{}'",
                                     tools::printable(descr)));
  }
  form.is_big_endian = order == '>';
  if (descr[1] == 'O') {
    refuse(where, "expected numbers or texts, found pickled Python objects",
           "make them one array of numbers: numpy.stack(list_of_arrays)");
  }
  form.element_bytes = width_of(std::string_view(descr).substr(2), descr, where);
  const auto is_width = [&](std::initializer_list<std::uint32_t> widths) {
    return std::ranges::find(widths, form.element_bytes) != widths.end();
  };
  bool is_known = true;
  const std::uint32_t bits = 8 * form.element_bytes;
  switch (descr[1]) {
    case 'b':  // a byte of 0 or 1
      form.kind = ElementKind::kUnsigned;
      form.type_text = "bool";
      is_known = is_width({1});
      break;
    case 'u':
      form.kind = ElementKind::kUnsigned;
      form.type_text = fmt::format("uint{}", bits);
      is_known = is_width({1, 2, 4, 8});
      break;
    case 'i':
      form.kind = ElementKind::kSigned;
      form.type_text = fmt::format("int{}", bits);
      is_known = is_width({1, 2, 4, 8});
      break;
    case 'f':
      form.kind = ElementKind::kFloat;
      form.type_text = fmt::format("float{}", bits);
      is_known = is_width({2, 4, 8, 12, 16});
      break;
    case 'S':
      form.kind = ElementKind::kBytes;
      form.type_text = fmt::format("text of {} bytes", form.element_bytes);
      is_known = form.element_bytes > 0;
      break;
    case 'U':
      form.kind = ElementKind::kUnicode;
      form.type_text = fmt::format("text of {} characters", form.element_bytes);
      is_known = form.element_bytes > 0;
      form.element_bytes *= 4;
      break;
    default:
      is_known = false;
  }
  if (!is_known) {
    refuse(where,
           fmt::format("expected numbers or texts, found type '{}'", tools::printable(descr)),
           "save it as numbers: numpy.save('x.npy', x.astype('uint8'))");
  }
}

bool is_in_both_orders(const std::vector<std::uint64_t>& shape) {
  return std::ranges::count_if(shape, [](std::uint64_t side) { return side > 1; }) <= 1;
}

}  // namespace

bool begins_as_npy(std::span<const std::byte> first_bytes) noexcept {
  return first_bytes.size() >= kMagic.size() &&
         std::equal(kMagic.begin(), kMagic.end(), first_bytes.begin(),
                    [](char c, std::byte b) { return static_cast<std::byte>(c) == b; });
}

NpyHeader parse_npy_header(std::span<const std::byte> first_bytes, const std::string& where) {
  const auto byte_at = [&](std::size_t at) {
    return std::to_integer<std::size_t>(first_bytes[at]);
  };
  if (!begins_as_npy(first_bytes)) throw_damaged(where, "expected \\x93NUMPY, found other bytes");
  if (first_bytes.size() < 12)
    throw_damaged(where, "header: expected 12 bytes and more, found fewer");
  const std::size_t major = byte_at(6);
  if (major < 1 || major > 3 || byte_at(7) != 0) {
    throw_damaged(where, fmt::format("header: expected format 1.0, 2.0 or 3.0, found {}.{}", major,
                                     byte_at(7)));
  }
  const std::size_t begin = major == 1 ? 10 : 12;
  std::size_t length = byte_at(8) | byte_at(9) << 8;
  if (major > 1) length |= byte_at(10) << 16 | byte_at(11) << 24;
  if (length > std::min(first_bytes.size(), kMaxNpyHeaderBytes) - begin) {
    throw_damaged(where, fmt::format("header: expected at most {} bytes within the file, found {}",
                                     kMaxNpyHeaderBytes - begin, length));
  }
  const std::string_view text(reinterpret_cast<const char*>(first_bytes.data()) + begin, length);
  Dictionary dictionary = read_dictionary(text, where);

  NpyHeader header{.form = {}, .header_bytes = begin + length};
  header.form.shape = std::move(*dictionary.shape);
  read_type(*dictionary.descr, where, header.form);
  if (header.form.shape.empty()) {
    refuse(where, "expected at least one dimension, found a single number",
           "check which array it is");
  }
  if (!has_countable_size(header.form)) {
    throw_damaged(where, fmt::format("header: expected a size that can be, found {}",
                                     shape_text(header.form.shape)));
  }
  if (*dictionary.is_fortran_order && !is_in_both_orders(header.form.shape)) {
    refuse(where, "expected C order, each picture in one piece, found Fortran order",
           "numpy.save('x.npy', numpy.ascontiguousarray(x))");
  }
  return header;
}

}  // namespace penstock::convert
