#include "tools/convert/reason/name_reasons.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "tools/convert/reason/name_fold.h"

namespace penstock::convert {
namespace {

std::vector<bool> twins_of(const std::vector<std::string>& names) {
  PictureList pictures;
  for (const std::string& name : names) pictures.add({.name = name, .split = {}});
  const NameReasons reasons(pictures);
  std::vector<bool> twins;
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    twins.push_back(reasons.of(i, names[i]).has(ReasonCode::kTwinName));
  }
  return twins;
}

BOOST_AUTO_TEST_SUITE(name_reasons)

BOOST_AUTO_TEST_CASE(each_oddity_of_a_name_is_told) {
  BOOST_TEST(reasons_of_name("cat/1.jpg").empty());
  BOOST_TEST(reasons_of_name("\xC3\xA4pfel/\xE7\x8C\xAB - 1.jpg").empty());
  BOOST_CHECK(reasons_of_name("cat/a\nb.jpg") == ReasonSet{ReasonCode::kControlInName});
  BOOST_CHECK(reasons_of_name("cat/\t.jpg") == ReasonSet{ReasonCode::kControlInName});
  BOOST_CHECK(reasons_of_name("cat/-1.jpg") == ReasonSet{ReasonCode::kDashName});
  BOOST_CHECK(reasons_of_name("-cat/1.jpg") == ReasonSet{ReasonCode::kDashName});
  BOOST_CHECK(reasons_of_name("cat/\xFF.jpg") == ReasonSet{ReasonCode::kNotUtf8Name});
  BOOST_CHECK(reasons_of_name("cat/" + std::string(255, 'x')) == ReasonSet{ReasonCode::kLongName});
  BOOST_TEST(reasons_of_name("cat/" + std::string(254, 'x')).empty());
}

BOOST_AUTO_TEST_CASE(twins_differ_in_case_or_in_how_an_accent_is_written) {
  const auto is_pair = [](const char* a, const char* b) {
    return twins_of({a, "between.jpg", b}) == std::vector<bool>{true, false, true};
  };
  BOOST_TEST(is_pair("a/One.JPG", "a/one.jpg"));
  BOOST_TEST(is_pair("A/one.jpg", "a/one.jpg"));
  // Unicode, chart of canonical decompositions: e9 = 65 301; 1EA5 = e2 301 = 61 302 301;
  // 304C = 304B 3099; AC01 = 1100 1161 11A8; 0439 = 0438 0306.
  BOOST_TEST(is_pair("caf\xC3\xA9", "cafe\xCC\x81"));
  BOOST_TEST(is_pair("CAF\xC3\x89", "cafe\xCC\x81"));
  BOOST_TEST(is_pair("\xE1\xBA\xA5", "a\xCC\x82\xCC\x81"));
  BOOST_TEST(is_pair("\xE3\x81\x8C", "\xE3\x81\x8B\xE3\x82\x99"));
  BOOST_TEST(is_pair("\xEA\xB0\x81", "\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8"));
  BOOST_TEST(is_pair("\xD0\xB9", "\xD0\xB8\xCC\x86"));
  BOOST_TEST(is_pair("\xD0\x96", "\xD0\xB6"));
}

BOOST_AUTO_TEST_CASE(names_that_only_resemble_each_other_are_no_twins) {
  for (const bool is_twin : twins_of({"cafe", "caf\xC3\xA9", "caf\xC3\xA8", "o", "0", "\xE9",
                                      "\xE8", "a/b", "a_b", "\xE3\x81\x8B", "\xE3\x81\x8C"})) {
    BOOST_TEST(!is_twin);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
