// Reads the sequences that tests/interop/optimizer_goldens.py writes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::train::tests {

/// One `case NAME` of a file: its `set KEY VALUE` lines, and its rows of numbers in order, by key.
struct GoldenCase {
  std::string name;
  std::map<std::string, std::string> settings;
  std::map<std::string, std::vector<std::vector<double>>> rows;

  bool has(const std::string& key) const { return settings.contains(key); }
  /// A setting as a number; `otherwise` where the case does not set it.
  double number(const std::string& key, double otherwise) const;
  /// The only row of a key.
  const std::vector<double>& row(const std::string& key) const;
};

/// Cases of tests/train/optim/`file_name` in order. Throws when there is no such file.
std::vector<GoldenCase> read_golden_cases(std::string_view file_name);

/// The case of that name. Throws when there is none.
const GoldenCase& golden_case(const std::vector<GoldenCase>& cases, std::string_view name);

}  // namespace penstock::train::tests
