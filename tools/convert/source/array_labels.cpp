#include "tools/convert/source/array_labels.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <vector>

#include "streamer/core/error.h"
#include "tools/convert/source/class_names.h"
#include "tools/convert/source/dataset_layout.h"

namespace penstock::convert {
namespace {

using Bytes = std::span<const std::byte>;

// The bytes of one element as a number, whatever their order.
std::uint64_t bits_of(Bytes element, bool is_big_endian) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < element.size(); ++i) {
    bits = bits << 8 |
           std::to_integer<std::uint64_t>(element[is_big_endian ? i : element.size() - 1 - i]);
  }
  return bits;
}

bool is_negative(std::uint64_t bits, std::size_t num_bytes) {
  return (bits >> (8 * num_bytes - 1) & 1) != 0;
}

std::string integer_text(Bytes element, const ArrayForm& form) {
  std::uint64_t bits = bits_of(element, form.is_big_endian);
  if (form.kind == ElementKind::kUnsigned) return std::to_string(bits);
  if (is_negative(bits, element.size()) && element.size() < 8) {
    bits |= UINT64_MAX << (8 * element.size());
  }
  return std::to_string(static_cast<std::int64_t>(bits));
}

LabelValue numbered_label(Bytes element, const ArrayForm& form) {
  const std::uint64_t bits = bits_of(element, form.is_big_endian);
  const bool is_below_zero = form.kind == ElementKind::kSigned && is_negative(bits, element.size());
  if (is_below_zero) return LabelFault{ReasonCode::kUnknownLabel, integer_text(element, form)};
  if (bits >= kMaxNumberedClasses) {
    return LabelFault{ReasonCode::kUnknownLabel,
                      fmt::format("{}: expected at most {}", integer_text(element, form),
                                  kMaxNumberedClasses - 1)};
  }
  return static_cast<std::uint32_t>(bits);
}

// Which of 0 and 1 an element is, by its bits: IEEE 754 has one 1, and a zero with either sign.
std::optional<bool> zero_or_one(Bytes element, const ArrayForm& form) {
  const std::uint64_t bits = bits_of(element, form.is_big_endian);
  if (form.kind != ElementKind::kFloat) {
    return bits <= 1 ? std::optional(bits == 1) : std::nullopt;
  }
  const std::uint64_t sign = std::uint64_t{1} << (8 * element.size() - 1);
  const std::uint64_t one = element.size() == 2   ? 0x3C00
                            : element.size() == 4 ? 0x3F800000
                                                  : 0x3FF0000000000000;
  if ((bits & ~sign) == 0) return false;
  return bits == one ? std::optional(true) : std::nullopt;
}

LabelValue one_hot_label(Bytes row, const ArrayForm& form) {
  std::optional<std::uint32_t> label;
  for (std::uint32_t i = 0; i < row.size() / form.element_bytes; ++i) {
    const std::optional<bool> is_one =
        zero_or_one(row.subspan(std::size_t{i} * form.element_bytes, form.element_bytes), form);
    if (!is_one) return LabelFault{ReasonCode::kUnknownLabel, "not one-hot: neither 0 nor 1"};
    if (!*is_one) continue;
    if (label) return LabelFault{ReasonCode::kUnknownLabel, "not one-hot: more than one 1"};
    label = i;
  }
  if (!label) return LabelFault{ReasonCode::kUnknownLabel, "not one-hot: no 1"};
  return *label;
}

void append_utf8(char32_t c, std::string& text) {
  const auto put = [&](char32_t bits) { text += static_cast<char>(bits); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

// Nothing where a number is no character.
std::optional<std::string> text_of_ucs4(Bytes element, bool is_big_endian) {
  std::vector<char32_t> characters;
  for (std::size_t at = 0; at < element.size(); at += 4) {
    characters.push_back(static_cast<char32_t>(bits_of(element.subspan(at, 4), is_big_endian)));
  }
  while (!characters.empty() && characters.back() == 0) characters.pop_back();
  std::string text;
  for (const char32_t c : characters) {
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return std::nullopt;
    append_utf8(c, text);
  }
  return text;
}

std::string text_of_bytes(Bytes element) {
  std::string text(reinterpret_cast<const char*>(element.data()), element.size());
  text.resize(text.find_last_not_of('\0') + 1);  // npos + 1 is 0
  return stored_class_name(text);
}

LabelValue text_label(Bytes element, const ArrayForm& form) {
  const std::optional<std::string> text = form.kind == ElementKind::kUnicode
                                              ? text_of_ucs4(element, form.is_big_endian)
                                              : text_of_bytes(element);
  if (!text) return LabelFault{ReasonCode::kUnknownLabel, "no text of Unicode"};
  if (text->find_first_not_of(' ') == std::string::npos) {
    return LabelFault{ReasonCode::kRowWithoutLabel, ""};
  }
  std::string fault = class_label_fault(*text);
  if (!fault.empty()) return LabelFault{ReasonCode::kUnknownLabel, std::move(fault)};
  return *text;
}

LabelValue label_of(Bytes row, LabelForm label_form, const ArrayForm& form) {
  switch (label_form) {
    case LabelForm::kNumber:
      return numbered_label(row, form);
    case LabelForm::kOneHot:
      return one_hot_label(row, form);
    case LabelForm::kText:
      return text_label(row, form);
  }
  return LabelFault{};
}

[[noreturn]] void refuse(const OpenArray& labels, const std::string& expected, std::string hint) {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("labels: {}: expected {}, found {} {}", labels.where, expected,
                          labels.form.type_text, shape_text(labels.form.shape)),
              std::move(hint));
}

}  // namespace

LabelForm label_form_of(const OpenArray& labels) {
  const ArrayForm& form = labels.form;
  const bool is_column = form.shape.size() == 1 || (form.shape.size() == 2 && form.shape[1] == 1);
  const bool is_text = form.kind == ElementKind::kBytes || form.kind == ElementKind::kUnicode;
  if (is_column && is_text) return LabelForm::kText;
  if (is_column && form.kind != ElementKind::kFloat) return LabelForm::kNumber;
  if (is_column) {
    refuse(labels, "whole numbers", "numpy.save('labels.npy', y.astype('int64'))");
  }
  const bool has_one_bit_pattern = form.kind != ElementKind::kFloat || form.element_bytes <= 8;
  if (form.shape.size() != 2 || is_text || form.shape[1] == 0 ||
      form.shape[1] > kMaxNumberedClasses || !has_one_bit_pattern) {
    refuse(labels, "one label a picture, [n], [n, 1] or one-hot [n, classes]",
           "give an array with a number for each picture");
  }
  return LabelForm::kOneHot;
}

void read_labels(const ArrayStore& store, std::uint32_t array_idx, const std::stop_token& stop,
                 const std::function<void(std::uint64_t row, LabelValue label)>& visit) {
  constexpr std::uint64_t kPieceBytes = std::uint64_t{4} << 20;
  const OpenArray& labels = store.array(array_idx);
  const LabelForm label_form = label_form_of(labels);
  const std::uint64_t row_bytes = labels.form.row_bytes();
  const std::uint64_t rows_at_once = std::max<std::uint64_t>(1, kPieceBytes / row_bytes);
  std::vector<std::byte> piece;
  auto lost = labels.lost_rows.begin();
  const auto is_lost = [&](std::uint64_t row) {
    while (lost != labels.lost_rows.end() && lost->first_row + lost->num_rows <= row) ++lost;
    return lost != labels.lost_rows.end() && lost->first_row <= row;
  };
  for (std::uint64_t first = 0; first < labels.num_whole_rows; first += rows_at_once) {
    if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: scan: on request");
    piece.resize(std::min(rows_at_once, labels.num_whole_rows - first) * row_bytes);
    store.read_rows(array_idx, first, piece);
    for (std::uint64_t i = 0; i < piece.size() / row_bytes; ++i) {
      if (is_lost(first + i)) {
        visit(first + i, LabelFault{ReasonCode::kArchiveDamaged, lost->why});
        continue;
      }
      visit(first + i,
            label_of(Bytes(piece).subspan(i * row_bytes, row_bytes), label_form, labels.form));
    }
  }
}

}  // namespace penstock::convert
