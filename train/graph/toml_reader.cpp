#include "train/graph/toml_reader.h"

#include <algorithm>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"

namespace penstock::train {

const TomlValue* TomlReader::find(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.emplace_back(key);
  return find_key(table_, key);
}

std::optional<std::string> TomlReader::text(std::string_view key) {
  const TomlValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* text = value->as<std::string>()) return *text;
  refuse(key, "a text", *value);
}

std::optional<bool> TomlReader::truth(std::string_view key) {
  const TomlValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* truth = value->as<bool>()) return *truth;
  refuse(key, "true or false", *value);
}

std::optional<double> TomlReader::number(std::string_view key) {
  const TomlValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto number = as_number(*value)) return number;
  refuse(key, "a number", *value);
}

std::optional<std::vector<double>> TomlReader::numbers(std::string_view key) {
  const TomlValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto* list = value->as<TomlList>();
  if (list == nullptr) refuse(key, "a list of numbers", *value);
  std::vector<double> numbers;
  for (const TomlValue& element : *list) {
    const auto number = as_number(element);
    if (!number) refuse(key, "a list of numbers", "a list with " + describe_toml(element));
    numbers.push_back(*number);
  }
  return numbers;
}

std::optional<std::uint64_t> TomlReader::whole(std::string_view key, std::uint64_t most) {
  const TomlValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto whole = as_whole(*value, most)) return whole;
  const bool is_whole = value->as<std::int64_t>() != nullptr;
  refuse(key, is_whole ? "a whole number from 0 to " + std::to_string(most) : "a whole number",
         *value);
}

const TomlTable* TomlReader::table(std::string_view key) {
  const TomlValue* value = find(key);
  if (value == nullptr) return nullptr;
  if (const auto* table = value->as<TomlTable>()) return table;
  refuse(key, "a table", *value);
}

const TomlList* TomlReader::tables(std::string_view key) {
  const TomlValue* value = find(key);
  if (value == nullptr) return nullptr;
  const std::string expected = "[[" + std::string(key) + "]] tables";
  const auto* list = value->as<TomlList>();
  if (list == nullptr) refuse(key, expected, *value);
  if (list->empty()) refuse(key, expected, "an empty list");
  for (const TomlValue& element : *list) {
    if (element.as<TomlTable>() != nullptr) continue;
    refuse(key, expected, "a list with " + describe_toml(element));
  }
  return list;
}

void TomlReader::refuse(std::string_view key, const std::string& expected,
                        const std::string& found) const {
  const std::string name = place_.prefix + std::string(key);
  throw Error(ErrorCode::kInvalidArgument,
              place_.where + ": " + name + ": expected " + expected + ", found " + found,
              place_.example(name));
}

void TomlReader::refuse(std::string_view key, const std::string& expected,
                        const TomlValue& found) const {
  refuse(key, expected, describe_toml(found));
}

void TomlReader::finish() const {
  for (const TomlEntry& entry : table_) {
    if (std::ranges::find(known_, entry.key) != known_.end()) continue;
    std::vector<std::string> names;
    for (const std::string& name : known_) names.push_back(place_.prefix + name);
    const std::string full = place_.prefix + entry.key;
    throw Error(ErrorCode::kInvalidArgument,
                place_.where + ": expected a known key, found '" + full + "'",
                nearest_name_hint(full, std::vector<std::string_view>(names.begin(), names.end())));
  }
}

}  // namespace penstock::train
