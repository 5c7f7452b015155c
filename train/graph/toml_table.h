// TOML as plain values: text in, a table out, and values as text again. Only the .cpp of this file
// knows the TOML library. Knows nothing of models or runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace penstock::train {

struct TomlValue;
struct TomlEntry;
using TomlList = std::vector<TomlValue>;
/// Sorted by key, each key once.
using TomlTable = std::vector<TomlEntry>;

/// A date or a time as it was written: nobody here reads them.
struct TomlMoment {
  std::string text;
};

struct TomlValue {
  std::variant<std::string, std::int64_t, double, bool, TomlList, TomlTable, TomlMoment> held;

  /// Null when another type is held.
  template <class T>
  const T* as() const noexcept {
    return std::get_if<T>(&held);
  }
};

struct TomlEntry {
  std::string key;
  TomlValue value;
};

TomlList list_of_numbers(std::span<const double> numbers);

/// Returns an integer or a float as a number; nothing for any other type.
std::optional<double> as_number(const TomlValue& value) noexcept;
/// Returns an integer from 0 to `most`; nothing for anything else.
std::optional<std::uint64_t> as_whole(const TomlValue& value, std::uint64_t most) noexcept;

/// Null when the table has no such key.
const TomlValue* find_key(const TomlTable& table, std::string_view key) noexcept;

/// Reads TOML text. `where` names it in errors: "run: mine.toml"; `hint` is what a line looks like.
///
/// Errors  InvalidArgument `WHERE:LINE:COLUMN: expected TOML, found an error: REASON`, or text that nests
///         deeper than kMaxTomlDepth (toml_depth.h)
TomlTable parse_toml(std::string_view text, const std::string& where, const std::string& hint);

/// Reads a file that is to be parsed, 1 MiB at most. `owner` begins the error: "run".
///
/// Errors  InvalidArgument for a larger one or a folder; those of read_text_file()
std::string read_toml_text(const std::filesystem::path& path, const std::string& owner);

/// Writes a value so that it reads back equal: `0.5`, `3.0`, `"text"`, `[1, 2]`, `{ a = 1 }`.
std::string format_toml(const TomlValue& value);
/// Writes one line `key = value` per entry.
std::string format_toml_lines(const TomlTable& table);

/// Says what stands there, for errors: `the number 1.5`, `the text "many"`, `a list`.
std::string describe_toml(const TomlValue& value);

}  // namespace penstock::train
