#include "streamer/core/csv_field.h"

#include <boost/test/unit_test.hpp>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(csv_field_suite)

// RFC 4180, section 2, rules 5 to 7.
BOOST_AUTO_TEST_CASE(fields_are_quoted_where_they_must_be) {
  BOOST_TEST(csv_field("plain") == "plain");
  BOOST_TEST(csv_field("") == "");
  BOOST_TEST(csv_field("a,b") == "\"a,b\"");
  BOOST_TEST(csv_field("say \"hi\"") == "\"say \"\"hi\"\"\"");
  BOOST_TEST(csv_field("two\nlines") == "\"two\nlines\"");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
