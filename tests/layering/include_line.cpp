#include "tests/layering/include_line.h"

namespace penstock::tests {

std::optional<Include> included_by(const std::string& line) {
  constexpr const char* kBlanks = " \t";
  const std::size_t hash = line.find_first_not_of(kBlanks);
  if (hash == std::string::npos || line[hash] != '#') return std::nullopt;
  const std::size_t word = line.find_first_not_of(kBlanks, hash + 1);
  if (word == std::string::npos || line.compare(word, 7, "include") != 0) return std::nullopt;
  const std::size_t open = line.find_first_of("\"<", word);
  const std::size_t close = line.find_first_of("\">", open + 1);
  // A macro hides what it names.
  if (open == std::string::npos || close == std::string::npos) return Include{line, true};
  return Include{line.substr(open + 1, close - open - 1), line[open] == '"'};
}

}  // namespace penstock::tests
