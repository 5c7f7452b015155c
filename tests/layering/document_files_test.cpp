// Every header stands in the README of its folder, or in the nearest one above.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

fs::path nearest_readme(fs::path folder) {
  while (!fs::exists(folder / "README.md")) folder = folder.parent_path();
  return folder / "README.md";
}

/// Whether a document names the file, with its extension or, as a pair, without.
bool names(const fs::path& document, const std::string& stem) {
  std::ifstream file(document);
  std::ostringstream text;
  text << file.rdbuf();
  return std::regex_search(text.str(), std::regex("(^|[^a-z0-9_])" + stem + "([^a-z0-9_]|$)"));
}

BOOST_AUTO_TEST_SUITE(document_files)

BOOST_AUTO_TEST_CASE(every_header_stands_in_the_nearest_readme) {
  std::size_t num_headers = 0;
  for (const char* folder : {"streamer", "augment", "train", "tools", "fixtures"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(PENSTOCK_SOURCE_FOLDER) / folder)) {
      if (entry.path().extension() != ".h") continue;
      ++num_headers;
      const fs::path readme = nearest_readme(entry.path().parent_path());
      BOOST_TEST(names(readme, entry.path().stem().native()),
                 readme.native() << ": no word of " << entry.path().filename().native());
    }
  }
  BOOST_TEST(num_headers > 300u);  // else it looked in the wrong place
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
