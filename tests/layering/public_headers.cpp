#include "tests/layering/public_headers.h"

#include <algorithm>
#include <fstream>

#include "tests/layering/include_line.h"

namespace penstock::tests {
namespace {

// The headers of C++ have neither a folder nor a suffix.
bool is_standard(const Include& included) {
  return !included.is_quoted && included.name.find_first_of("./") == std::string::npos;
}

}  // namespace

HeaderClosure header_closure(const std::filesystem::path& root,
                             const std::vector<std::string>& entries) {
  HeaderClosure closure;
  std::vector<std::string> open = entries;
  while (!open.empty()) {
    const std::string header = open.back();
    open.pop_back();
    if (!closure.headers.insert(header).second) continue;
    std::ifstream stream(root / header);
    for (std::string line; std::getline(stream, line);) {
      const auto included = included_by(line);
      if (!included || is_standard(*included)) continue;
      if (included->is_quoted && std::filesystem::is_regular_file(root / included->name)) {
        open.push_back(included->name);
      } else {
        closure.foreign.push_back(header + ": includes " + included->name);
      }
    }
  }
  std::ranges::sort(closure.foreign);
  return closure;
}

}  // namespace penstock::tests
