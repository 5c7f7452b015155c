// Reads one TOML table strictly: each known key with its type, and none besides. Models and runs
// are refused in its words. Knows nothing of what the keys are for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/graph/toml_table.h"

namespace penstock::train {

/// What errors of a table say besides the key.
struct TomlPlace {
  /// Where the table stands: "run: mine.toml".
  std::string where;
  /// What completes a key: "augment." or nothing.
  std::string prefix = {};
  /// Gives the hint for a (completed) key: a line that is right, to be typed as it stands.
  std::string (*example)(const std::string& key);
};

/// Takes the known keys out of one table.
///
/// Each function that takes a key makes it known, and returns nothing when it is not there.
/// Errors    InvalidArgument `WHERE: KEY: expected TYPE, found VALUE` when something else stands
///           there
/// Lifetime  the table outlives the reader
class TomlReader {
 public:
  TomlReader(const TomlTable& table, TomlPlace place) : table_(table), place_(std::move(place)) {}

  const std::string& where() const noexcept { return place_.where; }
  void rename(std::string where) { place_.where = std::move(where); }

  /// Returns what stands there, whatever its type; null for nothing.
  const TomlValue* find(std::string_view key);

  std::optional<std::string> text(std::string_view key);
  std::optional<bool> truth(std::string_view key);
  std::optional<double> number(std::string_view key);
  std::optional<std::vector<double>> numbers(std::string_view key);
  /// An integer from 0 to `most`.
  std::optional<std::uint64_t> whole(std::string_view key, std::uint64_t most);
  /// Null for nothing.
  const TomlTable* table(std::string_view key);
  /// `[[key]]` tables, at least one; null for nothing.
  const TomlList* tables(std::string_view key);

  [[noreturn]] void refuse(std::string_view key, const std::string& expected,
                           const std::string& found) const;
  [[noreturn]] void refuse(std::string_view key, const std::string& expected,
                           const TomlValue& found) const;

  /// Throws InvalidArgument for the first key that nobody made known; the hint holds the nearest.
  void finish() const;

 private:
  const TomlTable& table_;
  TomlPlace place_;
  std::vector<std::string> known_;
};

}  // namespace penstock::train
