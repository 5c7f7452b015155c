// Every README and the program's help name the same flags.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "streamer/core/file.h"
#include "tests/cli/run_command.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

void add_matches(const std::string& text, const char* pattern, std::set<std::string>& found) {
  const std::regex regex(pattern);
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) {
    found.insert((*at)[1]);
  }
}

// Those that begin a line of the help.
std::set<std::string> flags_of(const std::vector<std::string>& command) {
  std::vector<std::string> words = command;
  words.emplace_back("--help");
  std::set<std::string> flags;
  add_matches(run_penstock(words).out, "\n  (?:-[a-z],)?(--[a-z][a-z0-9.-]*)", flags);
  return flags;
}

std::set<std::string> all_flags() {
  std::set<std::string> flags = {"--help", "--version"};
  const std::vector<std::vector<std::string>> commands = {{"convert"},
                                                          {"add"},
                                                          {"remove"},
                                                          {"inspect"},
                                                          {"verify"},
                                                          {"repair"},
                                                          {"extract"},
                                                          {"preview"},
                                                          {"plan"},
                                                          {"model"},
                                                          {"train"},
                                                          {"info"},
                                                          {"predict"},
                                                          {"evaluate"},
                                                          {"export"},
                                                          {"bench", "loader"},
                                                          {"bench", "augment"},
                                                          {"bench", "convert"},
                                                          {"bench", "verify"},
                                                          {"bench", "train"}};
  for (const std::vector<std::string>& command : commands) flags.merge(flags_of(command));
  return flags;
}

std::vector<fs::path> documents() {
  const fs::path root = fs::path(PENSTOCK_README).parent_path();
  std::vector<fs::path> found = {root / "README.md"};
  for (const char* folder : {"streamer", "augment", "train", "tools", "fixtures"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.path().filename() == "README.md") found.push_back(entry.path());
    }
  }
  return found;
}

BOOST_AUTO_TEST_SUITE(readme_flags)

BOOST_AUTO_TEST_CASE(every_flag_that_a_document_speaks_of_is_there) {
  const std::set<std::string> known = all_flags();
  BOOST_TEST(known.size() > 80u);
  std::size_t num_named = 0;
  for (const fs::path& document : documents()) {
    std::set<std::string> named;
    add_matches(read_text_file(document), "`(--[a-z][a-z0-9.-]*)", named);
    num_named += named.size();
    for (const std::string& flag : named) {
      BOOST_TEST(known.contains(flag), document.native() << ": " << flag);
    }
  }
  BOOST_TEST(num_named > 40u);
}

// Lines that are typed: of the command that they name.
BOOST_AUTO_TEST_CASE(every_line_that_a_document_types_has_flags_of_its_command) {
  std::size_t num_lines = 0;
  for (const char* command : {"convert", "add", "remove", "verify", "repair", "extract"}) {
    const std::set<std::string> known = flags_of({command});
    for (const fs::path& document : documents()) {
      std::set<std::string> lines;
      add_matches(read_text_file(document),
                  (std::string("penstock ") + command + " ([^`|&#\n]*)").c_str(), lines);
      for (const std::string& line : lines) {
        std::set<std::string> flags;
        add_matches(line, "(--[a-z][a-z-]*)", flags);
        ++num_lines;
        for (const std::string& flag : flags) {
          BOOST_TEST(known.contains(flag), document.native() << ": " << command << ' ' << line);
        }
      }
    }
  }
  BOOST_TEST(num_lines > 10u);
}

BOOST_AUTO_TEST_CASE(every_flag_of_a_conversion_is_in_some_document) {
  std::string text;
  for (const fs::path& document : documents()) text += read_text_file(document);
  std::set<std::string> named;
  add_matches(text, "(--[a-z][a-z-]*)", named);
  for (const char* command : {"convert", "add"}) {
    for (const std::string& flag : flags_of({command})) {
      BOOST_TEST((flag == "--help" || flag == "--quiet" || named.contains(flag)), flag);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
