#include "tools/convert/quarantine.h"

#include <boost/test/unit_test.hpp>

namespace penstock::convert {
namespace {

BOOST_AUTO_TEST_SUITE(quarantine)

// RFC 4180, section 2.
BOOST_AUTO_TEST_CASE(an_entry_is_one_line_whatever_its_name_is) {
  BOOST_TEST(quarantine_row({.path = "b/x, y.jpg",
                             .reason = ReasonCode::kTruncated,
                             .size_bytes = 12,
                             .detail = "Premature \"end\""}) ==
             "\"b/x, y.jpg\",truncated,12,\"Premature \"\"end\"\"\"\n");
  BOOST_TEST(quarantine_row({.path = "a/\n\xff.jpg", .reason = ReasonCode::kEmptyFile}) ==
             "a/\\x0a\\xff.jpg,empty_file,0,\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
