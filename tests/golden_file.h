// Values that another library computed, checked in as text (tests/interop/golden_text.py).
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::tests {

/// One case: names, each with a word or with numbers.
class GoldenCase {
 public:
  explicit GoldenCase(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  void add(const std::string& line);

  bool has(const std::string& entry) const { return entries_.contains(entry); }
  /// These throw std::runtime_error naming an entry that is missing or not what is asked for.
  const std::string& text(const std::string& entry) const;
  double number(const std::string& entry) const;
  std::vector<double> numbers(const std::string& entry) const;
  /// The numbers in another type; none where the entry is missing.
  template <class T>
  std::vector<T> values_or_none(const std::string& entry) const {
    if (!has(entry)) return {};
    const std::vector<double> numbers_there = numbers(entry);
    std::vector<T> values;
    for (const double number : numbers_there) values.push_back(static_cast<T>(number));
    return values;
  }

 private:
  const std::vector<std::string>& words(const std::string& entry) const;

  std::string name_;
  std::map<std::string, std::vector<std::string>> entries_;
};

/// Reads the cases whose names begin with `prefix`, in the order of the file. Throws
/// std::runtime_error when there are none.
std::vector<GoldenCase> read_goldens(const std::filesystem::path& path, std::string_view prefix);

}  // namespace penstock::tests
