// The keys of a run file, each listed once: how it is read, how it is written, and what a flag's
// text is taken for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "train/graph/toml_reader.h"
#include "train/run/settings/run_config.h"

namespace penstock::train {

/// What a flag's text is read as. Text that is not of that kind stays text, and is refused as such.
enum class KeyKind : std::uint8_t { kText, kWhole, kNumber, kTruth, kNumbers, kChance, kTexts };

/// Sets what the key stands for from its table, where it is called `name_in_table`; changes nothing when it
/// is not there. Throws InvalidArgument.
using ReadKey = void(TomlReader& reader, std::string_view name_in_table, RunConfig& config);
/// Returns nothing when the setting is left open.
using WriteKey = std::optional<TomlValue>(const RunConfig& config);

struct RunKey {
  /// Those of a table with a dot: "augment.cval".
  std::string_view name;
  KeyKind kind = KeyKind::kText;
  ReadKey* read;
  WriteKey* write;
  /// A value that is right, as TOML; empty for the default.
  std::string_view example = {};

  /// "augment"; empty for a key that stands above all tables.
  std::string_view table() const noexcept {
    const std::size_t dot = name.find('.');
    return dot == name.npos ? std::string_view{} : name.substr(0, dot);
  }
  std::string_view name_in_table() const noexcept { return name.substr(name.find('.') + 1); }
};

/// All keys but `[[layer]]`, in the order in which they are read and written.
std::span<const RunKey> run_keys();

/// Their tables, in the order of their first keys: "", "augment".
std::span<const std::string_view> run_tables();

/// Null for a name that is no key.
const RunKey* find_run_key(std::string_view name);

}  // namespace penstock::train
