#include "tools/convert/reason/reason_list.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cctype>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "fixtures/bad_picture.h"
#include "fixtures/bad_source.h"
#include "fixtures/copied_pictures.h"
#include "streamer/core/file.h"
#include "tests/temporary_folder.h"

namespace penstock::convert {
namespace {

struct Row {
  std::string policy;
  std::string fixtures;
  std::string suites;
};

// "| `cmyk` | fix | `cmyk_adobe`, `cmyk_plain` | ... |" of REASONS.md, by name.
std::map<std::string, Row> rows_of_the_document() {
  std::map<std::string, Row> rows;
  std::istringstream document(read_text_file(PENSTOCK_REASONS_DOCUMENT));
  for (std::string line; std::getline(document, line);) {
    if (line.rfind("| `", 0) != 0) continue;
    std::istringstream cells(line);
    std::string cell;
    std::vector<std::string> row;
    while (std::getline(cells, cell, '|')) {
      const std::size_t begin = cell.find_first_not_of(' ');
      const std::size_t end = cell.find_last_not_of(' ');
      row.push_back(begin == std::string::npos ? "" : cell.substr(begin, end + 1 - begin));
    }
    BOOST_REQUIRE(row.size() == 5);
    rows[row[1].substr(1, row[1].size() - 2)] = {row[2], row[3], row[4]};
  }
  return rows;
}

// What stands between back quotes.
std::vector<std::string> quoted(const std::string& cell) {
  std::vector<std::string> names;
  for (std::size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at)) {
    const std::size_t end = cell.find('`', at + 1);
    BOOST_REQUIRE(end != std::string::npos);
    names.push_back(cell.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return names;
}

using FilesOfMakers = std::map<std::string, std::size_t>;

// Files by reason and by maker: of pictures, each kind is one.
std::map<std::string, FilesOfMakers> files_of_fixtures() {
  std::map<std::string, FilesOfMakers> files;
  for (const fixtures::BadPicture& one : fixtures::all_bad_pictures()) {
    ++files[one.reason][one.kind];
  }
  for (const fixtures::OddFile& one : fixtures::odd_files()) ++files[one.reason]["bad_folder"];
  const tests::TemporaryFolder folder;
  for (const fixtures::BadSource& one : fixtures::write_bad_sources(folder.path())) {
    files[one.reason]["bad_sources"] += std::max<std::size_t>(1, one.paths.size());
  }
  for (const auto& one : fixtures::copied_pictures()) ++files[one.reason]["copied_pictures"];
  for (const auto& one : fixtures::near_pictures()) ++files[one.reason]["near_pictures"];
  return files;
}

// "kEmptyFile" of "empty_file".
std::string enumerator_of(std::string_view name) {
  std::string code = "k";
  bool begins_word = true;
  for (const char c : name) {
    if (c != '_') code += static_cast<char>(begins_word ? std::toupper(c) : c);
    begins_word = c == '_';
  }
  return code;
}

// The text of each file of tests that opens a suite, by the suite's name.
std::map<std::string, std::string> texts_of_suites() {
  std::map<std::string, std::string> texts;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(PENSTOCK_CONVERT_TESTS)) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = read_text_file(entry.path());
    for (const std::string opening : {"BOOST_AUTO_TEST_SUITE(", "BOOST_FIXTURE_TEST_SUITE("}) {
      const std::size_t at = text.find("\n" + opening);
      if (at == std::string::npos) continue;
      const std::size_t begin = at + 1 + opening.size();
      texts[text.substr(begin, text.find_first_of(",)", begin) - begin)] = text;
    }
  }
  return texts;
}

bool walks_a_maker(const std::string& text) {
  for (const char* maker : {"all_bad_pictures()", "write_bad_sources(", "odd_files()",
                            "copied_pictures()", "near_pictures()"}) {
    if (text.find(maker) != std::string::npos) return true;
  }
  return false;
}

BOOST_AUTO_TEST_SUITE(reason_list)

BOOST_AUTO_TEST_CASE(the_document_has_exactly_these_reasons_and_defaults) {
  const auto rows = rows_of_the_document();
  for (const ReasonInfo& info : all_reasons()) {
    const auto row = rows.find(std::string(info.name));
    BOOST_REQUIRE_MESSAGE(row != rows.end(), info.name);
    BOOST_TEST(row->second.policy == policy_name(info.default_policy), info.name);
  }
  BOOST_TEST(rows.size() == kNumReasons);
}

BOOST_AUTO_TEST_CASE(the_document_names_every_maker_of_a_reason_and_each_makes_three_files) {
  const auto files = files_of_fixtures();
  for (const auto& [reason, row] : rows_of_the_document()) {
    BOOST_REQUIRE_MESSAGE(files.contains(reason), reason << " has no fixture");
    std::set<std::string> expected;
    for (const auto& [maker, num_files] : files.at(reason)) {
      expected.insert(maker);
      BOOST_TEST(num_files >= 3u, reason << ": " << maker);
    }
    const std::vector<std::string> named = quoted(row.fixtures);
    BOOST_CHECK_MESSAGE((std::set<std::string>(named.begin(), named.end()) == expected),
                        reason << ": " << row.fixtures);
  }
}

BOOST_AUTO_TEST_CASE(the_document_names_suites_that_exist_and_meet_the_reason) {
  const auto texts = texts_of_suites();
  for (const auto& [reason, row] : rows_of_the_document()) {
    const std::vector<std::string> suites = quoted(row.suites);
    BOOST_TEST(!suites.empty(), reason);
    for (const std::string& suite : suites) {
      const auto found = texts.find(suite);
      BOOST_REQUIRE_MESSAGE(found != texts.end(), reason << ": no suite " << suite);
      const std::string& text = found->second;
      const bool meets = walks_a_maker(text) || text.find(reason) != std::string::npos ||
                         text.find("ReasonCode::" + enumerator_of(reason)) != std::string::npos;
      BOOST_TEST(meets, reason << ": " << suite);
    }
  }
}

BOOST_AUTO_TEST_CASE(names_are_all_different_and_can_be_typed) {
  std::set<std::string_view> names;
  for (const ReasonInfo& info : all_reasons()) {
    BOOST_TEST(names.insert(info.name).second, info.name);
    BOOST_TEST(info.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") ==
               std::string_view::npos);
    BOOST_CHECK(find_reason(info.name) == info.code);
  }
}

BOOST_AUTO_TEST_CASE(text_and_json_say_what_is_in_force) {
  ReasonPolicies policies;
  policies.set("truncated=fix");
  const std::string text = reason_list_text(policies);
  BOOST_TEST(text.find("\ntruncated               fix         fix quarantine stop       ends") !=
                 std::string::npos,
             text);
  const auto json = nlohmann::json::parse(reason_list_json(policies));
  BOOST_TEST(json.size() == kNumReasons);
  for (const auto& one : json) {
    if (one["name"] != "truncated") continue;
    BOOST_TEST(one["default"] == "quarantine");
    BOOST_TEST(one["policy"] == "fix");
    BOOST_TEST(one["allowed"].size() == 3u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
