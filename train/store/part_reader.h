// Reads the JSON of a checkpoint's parts strictly: what is stored by a run is checked before it is used, though
// its checksum was right. Included by the files that read parts, not by those that use what they hold.
#pragma once

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "streamer/core/error.h"

namespace penstock::train {

/// One object of the text. Fields that nobody asks for mean nothing.
///
/// Errors    CorruptData `WHERE: FIELD: expected ...`, of every member
/// Lifetime  the JSON outlives it
class PartReader {
 public:
  using Json = nlohmann::json;

  PartReader(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json_.is_object()) refuse("expected an object");
  }

  template <class T>
  T whole(const char* name, T most = std::numeric_limits<T>::max()) const {
    const Json& value = field(name);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
      const bool is_of_type = most == std::numeric_limits<T>::max();
      refuse(std::string(name) + ": expected a whole number" +
             (is_of_type ? "" : " of at most " + std::to_string(most)));
    }
    return value.get<T>();
  }
  /// Nothing for null.
  std::optional<double> optional_number(const char* name) const {
    const Json& value = field(name);
    if (value.is_null()) return std::nullopt;
    if (!value.is_number()) refuse(std::string(name) + ": expected a number or null");
    return value.get<double>();
  }
  /// NaN for null.
  double number(const char* name) const {
    return optional_number(name).value_or(std::numeric_limits<double>::quiet_NaN());
  }
  /// A finite one, 0 or more.
  double amount(const char* name) const {
    const double value = number(name);
    if (!std::isfinite(value) || value < 0) {
      refuse(std::string(name) + ": expected a number of 0 or more");
    }
    return value;
  }
  std::string text(const char* name) const {
    const Json& value = field(name);
    if (!value.is_string()) refuse(std::string(name) + ": expected a text");
    return value.get<std::string>();
  }
  PartReader object(const char* name) const { return {field(name), where_ + ": " + name}; }
  /// Nothing for null.
  std::optional<PartReader> optional_object(const char* name) const {
    if (field(name).is_null()) return std::nullopt;
    return object(name);
  }
  /// Shows `visit` each object of a list.
  template <class Visit>
  void each(const char* name, const Visit& visit) const {
    for (const Json& one : array(name)) visit(PartReader(one, where_ + ": " + name));
  }
  std::vector<std::uint64_t> whole_list(const char* name) const {
    std::vector<std::uint64_t> found;
    for (const Json& one : array(name)) {
      if (!one.is_number_unsigned()) refuse(std::string(name) + ": expected whole numbers");
      found.push_back(one.get<std::uint64_t>());
    }
    return found;
  }

 private:
  const Json& array(const char* name) const {
    const Json& value = field(name);
    if (!value.is_array()) refuse(std::string(name) + ": expected a list");
    return value;
  }
  const Json& field(const char* name) const {
    const auto found = json_.find(name);
    if (found == json_.end()) refuse(std::string(name) + ": expected a value, found none");
    return *found;
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::kCorruptData, where_ + ": " + what);
  }

  const Json& json_;
  std::string where_;
};

}  // namespace penstock::train
