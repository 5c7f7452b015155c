// Documents are read in terminals and in diffs: their paragraphs stay inside 110 columns.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

constexpr std::ptrdiff_t kMaxColumns = 110;

// In characters, as an editor shows them.
std::ptrdiff_t num_columns(const std::string& line) {
  return std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

// Rows of tables and what programs print are as long as they are.
bool may_be_long(const std::string& line) {
  const std::size_t at = line.find_first_not_of(' ');
  return at == std::string::npos || at >= 4 || line[at] == '|';
}

std::vector<fs::path> documents() {
  const fs::path root = PENSTOCK_SOURCE_FOLDER;
  std::vector<fs::path> found = {root / "README.md", root / "CONTRIBUTING.md"};
  for (const char* folder : {"streamer", "augment", "train", "tools", "fixtures", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.path().filename() == "README.md") found.push_back(entry.path());
    }
  }
  return found;
}

BOOST_AUTO_TEST_SUITE(document_lines)

BOOST_AUTO_TEST_CASE(paragraphs_of_documents_stay_inside_110_columns) {
  const std::vector<fs::path> all = documents();
  BOOST_TEST(all.size() > 10u);  // else it looked in the wrong place
  for (const fs::path& path : all) {
    std::ifstream file(path);
    std::size_t number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      if (may_be_long(line) || num_columns(line) <= kMaxColumns) continue;
      BOOST_ERROR(path.native() << ":" << number << ": " << num_columns(line) << " columns");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
