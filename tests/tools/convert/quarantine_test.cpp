#include "tools/convert/quarantine.h"

#include <boost/test/unit_test.hpp>

namespace penstock::convert {
namespace {

BOOST_AUTO_TEST_SUITE(quarantine)

BOOST_AUTO_TEST_CASE(entries_are_sorted_and_one_line_each) {
  const std::string csv = quarantine_csv(
      {{.path = "b/x, y.jpg",
        .reason = ReasonCode::kTruncated,
        .size_bytes = 12,
        .detail = "Premature"},
       {.path = "a/\n\xff.jpg", .reason = ReasonCode::kEmptyFile, .size_bytes = 0, .detail = ""}});
  BOOST_TEST(csv ==
             "path,reason,bytes,detail\n"
             "a/\\x0a\\xff.jpg,empty_file,0,\n"
             "\"b/x, y.jpg\",truncated,12,Premature\n");
}

BOOST_AUTO_TEST_CASE(reasons_are_counted) {
  const auto counts = count_by_reason(
      {{.path = "a", .reason = ReasonCode::kDamaged, .size_bytes = 1, .detail = ""},
       {.path = "b", .reason = ReasonCode::kDamaged, .size_bytes = 1, .detail = ""},
       {.path = "c", .reason = ReasonCode::kEmptyFile, .size_bytes = 0, .detail = ""}});
  BOOST_TEST(counts.size() == 2u);
  BOOST_TEST(counts.at("damaged") == 2u);
  BOOST_TEST(counts.at("empty_file") == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
