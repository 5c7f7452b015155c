#include "train/graph/toml_table.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/number_text.h"
#include "train/graph/toml_depth.h"

namespace penstock::train {
namespace {

constexpr std::uint64_t kMaxFileBytes = 1u << 20;

TomlValue value_of(const toml::node& node);

TomlTable table_of(const toml::table& table) {
  TomlTable entries;  // the library keeps them sorted
  for (const auto& [key, node] : table) {
    entries.push_back({std::string(key.str()), value_of(node)});
  }
  return entries;
}

TomlList list_of(const toml::array& array) {
  TomlList values;
  for (const toml::node& node : array) values.push_back(value_of(node));
  return values;
}

template <class Moment>
TomlValue moment_of(const Moment& moment) {
  std::ostringstream text;
  text << moment;
  return {TomlMoment{text.str()}};
}

TomlValue value_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return {text->get()};
  if (const auto* whole = node.as_integer()) return {whole->get()};
  if (const auto* number = node.as_floating_point()) return {number->get()};
  if (const auto* truth = node.as_boolean()) return {truth->get()};
  if (const auto* array = node.as_array()) return {list_of(*array)};
  if (const auto* table = node.as_table()) return {table_of(*table)};
  if (const auto* date = node.as_date()) return moment_of(date->get());
  if (const auto* time = node.as_time()) return moment_of(time->get());
  return moment_of(node.as_date_time()->get());
}

std::string quote_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04X", static_cast<unsigned>(c));
      result += escape.data();
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string key_text(const std::string& key) {
  constexpr std::string_view kBare =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  return !key.empty() && key.find_first_not_of(kBare) == key.npos ? key : quote_text(key);
}

std::string line_of(const TomlEntry& entry) {
  return key_text(entry.key) + " = " + format_toml(entry.value);
}

struct ValueText {
  std::string operator()(const std::string& text) const { return quote_text(text); }
  std::string operator()(std::int64_t whole) const { return std::to_string(whole); }
  std::string operator()(double number) const {
    const std::string digits = number_text(number);
    // Without a point or an exponent it would read back as an integer; "inf" and "nan" would not.
    return digits.find_first_of(".en") == digits.npos ? digits + ".0" : digits;
  }
  std::string operator()(bool truth) const { return truth ? "true" : "false"; }
  std::string operator()(const TomlMoment& moment) const { return moment.text; }
  std::string operator()(const TomlList& list) const {
    std::string text = "[";
    for (const TomlValue& value : list) text += (text.size() > 1 ? ", " : "") + format_toml(value);
    return text + "]";
  }
  std::string operator()(const TomlTable& table) const {
    std::string text = "{";
    for (const TomlEntry& entry : table) text += (text.size() > 1 ? ", " : " ") + line_of(entry);
    return text + " }";
  }
};

struct Description {
  std::string operator()(const std::string& text) const { return "the text " + quote_text(text); }
  std::string operator()(std::int64_t whole) const { return "the number " + std::to_string(whole); }
  std::string operator()(double number) const { return "the number " + number_text(number); }
  std::string operator()(bool truth) const { return truth ? "true" : "false"; }
  std::string operator()(const TomlMoment&) const { return "a date or time"; }
  std::string operator()(const TomlList&) const { return "a list"; }
  std::string operator()(const TomlTable&) const { return "a table"; }
};

}  // namespace

TomlList list_of_numbers(std::span<const double> numbers) {
  TomlList list;
  for (const double number : numbers) list.emplace_back().held = number;
  return list;
}

std::optional<double> as_number(const TomlValue& value) noexcept {
  if (const auto* whole = value.as<std::int64_t>()) return static_cast<double>(*whole);
  if (const auto* number = value.as<double>()) return *number;
  return std::nullopt;
}

std::optional<std::uint64_t> as_whole(const TomlValue& value, std::uint64_t most) noexcept {
  const auto* whole = value.as<std::int64_t>();
  if (whole == nullptr || *whole < 0) return std::nullopt;
  const auto found = static_cast<std::uint64_t>(*whole);
  return found <= most ? std::optional(found) : std::nullopt;
}

const TomlValue* find_key(const TomlTable& table, std::string_view key) noexcept {
  const auto found = std::ranges::find(table, key, &TomlEntry::key);
  return found == table.end() ? nullptr : &found->value;
}

TomlTable parse_toml(std::string_view text, const std::string& where, const std::string& hint) {
  if (const auto line = line_beyond_toml_depth(text)) {
    throw Error(ErrorCode::kInvalidArgument,
                where + ":" + std::to_string(*line) + ": expected TOML of at most " +
                    std::to_string(kMaxTomlDepth) +
                    " levels (parts of keys and headers, brackets), found more",
                hint);
  }
  try {
    return table_of(toml::parse(text));
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    throw Error(ErrorCode::kInvalidArgument,
                where + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) +
                    ": expected TOML, found an error: " + std::string(error.description()),
                hint);
  }
}

std::string read_toml_text(const std::filesystem::path& path, const std::string& owner) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) {
    throw Error(ErrorCode::kInvalidArgument,
                owner + ": " + path.native() + ": expected a file of TOML, found a folder",
                "check the path");
  }
  // Of a pipe nobody knows how much there is to come, nor whether it can be read twice.
  if (std::filesystem::exists(path, failure) && !std::filesystem::is_regular_file(path, failure)) {
    throw Error(
        ErrorCode::kInvalidArgument,
        owner + ": " + path.native() + ": expected a file of TOML, found a pipe or a device",
        "put what it holds into a file");
  }
  const std::uintmax_t size_bytes = std::filesystem::file_size(path, failure);
  if (!failure && size_bytes > kMaxFileBytes) {
    throw Error(ErrorCode::kInvalidArgument,
                owner + ": " + path.native() + ": expected TOML of at most " +
                    std::to_string(kMaxFileBytes) + " bytes, found " + std::to_string(size_bytes),
                "check the path: this looks like data");
  }
  return read_text_file(path, kMaxFileBytes);
}

std::string format_toml(const TomlValue& value) {
  return std::visit(ValueText{}, value.held);
}

std::string format_toml_lines(const TomlTable& table) {
  std::string lines;
  for (const TomlEntry& entry : table) lines += line_of(entry) + "\n";
  return lines;
}

std::string describe_toml(const TomlValue& value) {
  return std::visit(Description{}, value.held);
}

}  // namespace penstock::train
