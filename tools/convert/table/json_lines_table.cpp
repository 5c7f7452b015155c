#include "tools/convert/table/json_lines_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "tools/convert/table/split_field.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

using nlohmann::json;

std::vector<std::string> keys_of(const json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

// The values of a role, empty where there is none. What is wrong goes to `fault`.
class Row {
 public:
  Row(const json& object, const std::string& where, std::string& fault)
      : object_(object), where_(where), fault_(fault) {}

  // Learns the key where it is not known yet.
  std::string value(ColumnRole role, std::string& key) const {
    if (key.empty()) {
      const std::vector<std::string> keys = keys_of(object_);
      const auto found = find_column(role, keys, "", where_);
      if (!found) return "";
      key = keys[*found];
    }
    const auto found = object_.find(key);
    return found == object_.end() ? "" : text_of(*found, key);
  }

 private:
  std::string text_of(const json& value, const std::string& key) const {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number_integer()) return value.dump();
    if (value.is_null()) return "";
    fault_ = fmt::format("expected a text or a whole number as '{}', found {}",
                         tools::printable(key), value.type_name());
    return "";
  }

  const json& object_;
  const std::string& where_;
  std::string& fault_;
};

std::string keys_text(const json& object) {
  constexpr std::size_t kMaxListed = 8;
  const std::vector<std::string> keys = keys_of(object);
  std::string text;
  for (std::size_t i = 0; i < std::min(keys.size(), kMaxListed); ++i) {
    text += (i == 0 ? "" : ", ") + tools::printable(keys[i]);
  }
  if (keys.size() > kMaxListed) text += ", ...";
  return text.empty() ? "none" : text;
}

}  // namespace

JsonLinesTable::JsonLinesTable(TextInput input, TableRequest request)
    : input_(std::move(input)), request_(std::move(request)) {}

bool JsonLinesTable::next(TableRow& row) {
  bool is_too_long = false;
  do {
    row.line = input_.line();
    if (!input_.read_line(line_, is_too_long)) return false;
  } while (!is_too_long && line_.find_first_not_of(" \t") == std::string::npos);
  const std::string where = input_.where(row.line);
  row.clear();
  if (is_too_long) {
    row.fault = kTooLongLine;
    return true;
  }
  const json object = json::parse(line_, nullptr, false);
  if (!object.is_object()) {
    row.fault = object.is_discarded()
                    ? "expected a JSON object, found no JSON"
                    : std::string("expected a JSON object, found ") + object.type_name();
    return true;
  }
  const Row values(object, where, row.fault);
  row.path = values.value(ColumnRole::kPath, request_.path_column);
  if (request_.path_column.empty() || !object.contains(request_.path_column)) {
    row.fault = request_.path_column.empty()
                    ? "expected a key for the path, found " + keys_text(object)
                    : fmt::format("expected a path as '{}', found {}",
                                  tools::printable(request_.path_column), keys_text(object));
  }
  row.label = values.value(ColumnRole::kLabel, request_.label_column);
  read_split_field(values.value(ColumnRole::kSplit, request_.split_column), row);
  return true;
}

std::map<std::string, std::string> JsonLinesTable::columns() const {
  std::map<std::string, std::string> columns;
  const auto add = [&](const char* role, const std::string& key) {
    if (!key.empty()) columns.emplace(role, key);
  };
  add("path_column", request_.path_column);
  add("label_column", request_.label_column);
  add("split_column", request_.split_column);
  return columns;
}

}  // namespace penstock::convert
