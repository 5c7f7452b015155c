// README.md, "A damaged folder": what goes in, and line by line what the user reads.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "fixtures/bad_picture.h"
#include "streamer/core/file.h"
#include "tests/cli/run_command.h"
#include "tests/temporary_folder.h"
#include "tests/tools/picture_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

// Two classes of ten good pictures, and one each of nine things that happen.
void write_damaged_folder(const fs::path& photos) {
  const fs::path oddities = photos.parent_path() / "oddities";
  fixtures::write_bad_folder(oddities);
  const auto put = [&](const std::string& from, const std::string& to) {
    fs::create_directories((photos / to).parent_path());
    fs::copy_file(oddities / from, photos / to);
  };
  const std::vector<std::string> good = fixtures::good_names();
  BOOST_REQUIRE(good.size() >= 20u);
  for (std::size_t i = 0; i < 20; ++i) {
    put(good[i], (i % 2 == 0 ? "cat/" : "dog/") + std::to_string(i) + ".jpg");
  }
  put("a/truncated-cut-0.jpg", "cat/cut.jpg");
  put("a/exif_orientation-exif-0.jpg", "cat/turned.jpg");
  put("a/cmyk-cmyk_adobe-0.jpg", "cat/print.jpg");
  put("a/decompression_bomb-idat_bomb-0.png", "dog/decompression_bomb-idat_bomb-0.png");
  put("a/transparency-gray_alpha-0.png", "dog/logo.png");
  put("a/unsupported_format-heic-0.heic", "dog/phone.jpg");
  put("outside-0.jpg", "cover.jpg");
  write_file(photos / "dog/empty.jpg", "");
  write_file(photos / "cat/notes.txt", "text");
}

// The indented lines from the one that begins with `command` to the next empty one, without it.
std::string block_behind(const std::string& readme, const std::string& command) {
  const std::size_t at = readme.find("    $ " + command + "\n");
  BOOST_REQUIRE(at != std::string::npos);
  std::string text;
  for (std::size_t line = readme.find('\n', at) + 1; readme[line] == ' ';
       line = readme.find('\n', line) + 1) {
    text += readme.substr(line + 4, readme.find('\n', line) - line - 3);
  }
  return text;
}

// Times, and what is free on a machine, differ.
std::string without_measures(const std::string& text) {
  return std::regex_replace(text, std::regex("[0-9.]+ ([KMG]iB|s\\b)|[0-9]+ threads?"), "#");
}

BOOST_AUTO_TEST_SUITE(convert_readme)

BOOST_AUTO_TEST_CASE(the_damaged_folder_reads_as_the_document_says) {
  const TemporaryFolder folder;
  write_damaged_folder(folder.path() / "photos");
  const CommandResult result = run_program(
      "/bin/sh", {"-c", "cd '" + folder.path().native() +
                            "' && '" PENSTOCK_PROGRAM "' convert photos photos.ds 2>&1"});
  BOOST_TEST(result.exit_code == 0);
  const std::string readme = read_text_file(PENSTOCK_README);
  const std::string said = without_measures(result.out);
  std::istringstream lines(
      without_measures(block_behind(readme, "penstock convert photos photos.ds")));
  std::size_t at = 0;
  std::size_t num_lines = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line == "...") continue;  // shortened
    const std::size_t found = said.find(line + '\n', at);
    BOOST_REQUIRE_MESSAGE(found != std::string::npos, line << "\nis not, in this order, in\n"
                                                           << said);
    at = found + line.size();
    ++num_lines;
  }
  BOOST_TEST(num_lines == 11u);
  BOOST_TEST(read_text_file(folder.path() / "photos.ds/quarantine.csv") ==
             block_behind(readme, "cat photos.ds/quarantine.csv"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
