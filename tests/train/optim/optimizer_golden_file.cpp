#include "tests/train/optim/optimizer_golden_file.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace penstock::train::tests {

double GoldenCase::number(const std::string& key, double otherwise) const {
  const auto found = settings.find(key);
  return found == settings.end() ? otherwise : std::stod(found->second);
}

const std::vector<double>& GoldenCase::row(const std::string& key) const {
  const auto& of_key = rows.at(key);
  if (of_key.size() != 1) throw std::runtime_error(name + ": more than one row " + key);
  return of_key.front();
}

std::vector<GoldenCase> read_golden_cases(std::string_view file_name) {
  const std::string path =
      std::string(PENSTOCK_SOURCE_DIR "/tests/train/optim/") + std::string(file_name);
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": cannot be opened");
  std::vector<GoldenCase> cases;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::string key;
    words >> key;
    if (key == "case") {
      words >> cases.emplace_back().name;
    } else if (key == "set") {
      words >> key;
      words >> cases.back().settings[key];
    } else {
      std::vector<double>& row = cases.back().rows[key].emplace_back();
      // std::stod reads "nan", which a stream does not.
      for (std::string word; words >> word;) row.push_back(std::stod(word));
    }
  }
  return cases;
}

const GoldenCase& golden_case(const std::vector<GoldenCase>& cases, std::string_view name) {
  for (const GoldenCase& found : cases) {
    if (found.name == name) return found;
  }
  throw std::runtime_error("no case " + std::string(name));
}

}  // namespace penstock::train::tests
