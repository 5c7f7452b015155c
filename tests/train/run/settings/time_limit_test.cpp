#include "train/run/settings/time_limit.h"

#include <boost/test/unit_test.hpp>

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(time_limit)

BOOST_AUTO_TEST_CASE(times_are_read_as_people_write_them) {
  BOOST_TEST(parse_time_limit("2h30m").value() == 150.0);
  BOOST_TEST(parse_time_limit("45m").value() == 45.0);
  BOOST_TEST(parse_time_limit("90s").value() == 1.5);
  BOOST_TEST(parse_time_limit("1h1m30s").value() == 61.5);
  BOOST_TEST(parse_time_limit("1h30s").value() == 60.5);
  BOOST_TEST(parse_time_limit("90").value() == 90.0);
  BOOST_TEST(parse_time_limit("0.5h").value() == 30.0);
}

BOOST_AUTO_TEST_CASE(what_is_no_time_is_refused) {
  for (const char* text : {"", "h", "30m2h", "2h2h", "2h 30m", "-5m", "1e3", "2d", "m30", "0", "0s",
                           "9000h", "2h30", "nan", "+1h", "1.2.3m"}) {
    BOOST_TEST(!parse_time_limit(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(what_is_written_reads_back_equal) {
  BOOST_TEST(format_time_limit(150) == "2h30m");
  BOOST_TEST(format_time_limit(60) == "1h");
  BOOST_TEST(format_time_limit(1.5) == "1m30s");
  BOOST_TEST(format_time_limit(60.5) == "1h30s");
  BOOST_TEST(format_time_limit(1.0 / 60) == "1s");
  for (const char* text : {"1h1m1s", "7s", "59m59s", "100h", "0.25s"}) {
    BOOST_TEST(format_time_limit(parse_time_limit(text).value()) == text);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
