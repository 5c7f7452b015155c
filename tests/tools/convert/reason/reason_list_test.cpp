#include "tools/convert/reason/reason_list.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "fixtures/bad_picture.h"
#include "streamer/core/file.h"

namespace penstock::convert {
namespace {

struct Row {
  std::string policy;
  std::string fixtures;
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
    rows[row[1].substr(1, row[1].size() - 2)] = {row[2], row[3]};
  }
  return rows;
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

BOOST_AUTO_TEST_CASE(the_document_names_every_kind_of_picture_at_its_reason) {
  const auto rows = rows_of_the_document();
  for (const fixtures::BadPicture& picture : fixtures::all_bad_pictures()) {
    const std::string& kinds = rows.at(picture.reason).fixtures;
    BOOST_TEST(kinds.find('`' + picture.kind + '`') != std::string::npos,
               picture.reason << ": " << picture.kind);
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
