#include "tests/golden_file.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace penstock::tests {

void GoldenCase::add(const std::string& line) {
  std::istringstream stream(line);
  std::string entry;
  stream >> entry;
  std::vector<std::string>& words = entries_[entry];
  for (std::string word; stream >> word;) words.push_back(word);
}

const std::vector<std::string>& GoldenCase::words(const std::string& entry) const {
  const auto found = entries_.find(entry);
  if (found == entries_.end()) throw std::runtime_error(name_ + ": no entry " + entry);
  return found->second;
}

const std::string& GoldenCase::text(const std::string& entry) const {
  return words(entry).at(0);
}

double GoldenCase::number(const std::string& entry) const {
  const std::vector<double> all = numbers(entry);
  if (all.size() != 1) throw std::runtime_error(name_ + ": not one number: " + entry);
  return all.front();
}

std::vector<double> GoldenCase::numbers(const std::string& entry) const {
  std::vector<double> numbers;
  for (const std::string& word : words(entry)) {
    std::size_t length = 0;
    numbers.push_back(std::stod(word, &length));
    if (length != word.size()) throw std::runtime_error(name_ + ": not a number: " + word);
  }
  return numbers;
}

std::vector<GoldenCase> read_goldens(const std::filesystem::path& path, std::string_view prefix) {
  std::vector<GoldenCase> cases;
  std::ifstream file(path);
  bool is_wanted = false;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      const std::string name = line.substr(1, line.size() - 2);
      is_wanted = name.starts_with(prefix);
      if (is_wanted) cases.emplace_back(name);
    } else if (is_wanted) {
      cases.back().add(line);
    }
  }
  if (cases.empty()) {
    throw std::runtime_error(path.native() + ": no case begins with " + std::string(prefix));
  }
  return cases;
}

}  // namespace penstock::tests
