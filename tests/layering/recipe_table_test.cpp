// tools/recipes/README.md and the run files beside it say the same: which there are, and which were not yet run.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  BOOST_REQUIRE_MESSAGE(file.is_open(), path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// At the beginning of a sentence or within it.
bool says_not_yet_run(const std::string& text) {
  return text.find("not yet run") != std::string::npos ||
         text.find("Not yet run") != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(recipe_table)

BOOST_AUTO_TEST_CASE(every_recipe_has_a_row_that_agrees_on_whether_it_was_run) {
  const fs::path folder = fs::path(PENSTOCK_SOURCE_FOLDER) / "tools/recipes";
  const std::string readme = text_of(folder / "README.md");
  std::size_t num_recipes = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".toml") continue;
    ++num_recipes;
    const std::string name = entry.path().filename().native();
    const std::size_t row = readme.find("| `" + name + "` |");
    BOOST_REQUIRE_MESSAGE(row != std::string::npos, "no row for " << name);
    const std::string line = readme.substr(row, readme.find('\n', row) - row);
    BOOST_TEST(says_not_yet_run(line) == says_not_yet_run(text_of(entry.path())), name);
  }
  BOOST_TEST(num_recipes > 3u);  // else it looked in the wrong place
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
