#include "streamer/core/number_text.h"

#include <boost/test/unit_test.hpp>
#include <limits>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(number_text)

BOOST_AUTO_TEST_CASE(a_number_is_the_whole_text_or_none) {
  BOOST_TEST(parse_digits<std::uint64_t>("12").value() == 12u);
  BOOST_TEST(parse_digits<std::int64_t>("-3").value() == -3);
  BOOST_TEST(parse_digits<double>("0.25").value() == 0.25);
  for (const char* text : {"", " 1", "1 ", "+1", "-1", "1e3", "0x10", "18446744073709551616"}) {
    BOOST_TEST(!parse_digits<std::uint64_t>(text).has_value(), "'" << text << "'");
  }
}

// 0.1 + 0.2 is the double next above 0.3 (IEEE 754): 17 digits tell them apart.
BOOST_AUTO_TEST_CASE(a_number_is_written_in_the_fewest_digits_that_read_back) {
  BOOST_TEST(penstock::number_text(0.1) == "0.1");
  BOOST_TEST(penstock::number_text(3) == "3");
  BOOST_TEST(penstock::number_text(-1e-9) == "-1e-09");
  BOOST_TEST(penstock::number_text(0.1 + 0.2) == "0.30000000000000004");
  BOOST_TEST(penstock::number_text(-std::numeric_limits<double>::max()) ==
             "-1.7976931348623157e+308");
  BOOST_TEST(penstock::number_text(std::numeric_limits<double>::infinity()) == "inf");
}

BOOST_AUTO_TEST_CASE(sizes_are_powers_of_1024) {
  BOOST_TEST(parse_size_bytes("1025").value() == 1025u);
  BOOST_TEST(parse_size_bytes("1K").value() == 1024u);
  BOOST_TEST(parse_size_bytes("256M").value() == 268435456u);
  BOOST_TEST(parse_size_bytes("2g").value() == 2147483648u);
  BOOST_TEST(parse_size_bytes("16777215T").value() == 18446742974197923840u);  // 2^64 - 2^40
  // The last three are 2^64, one more than fits.
  for (const char* text : {"", "M", "0", "0K", "-1", "1.5G", "12Q", "12MB", "17179869184G",
                           "16777216T", "18446744073709551616"}) {
    BOOST_TEST(!parse_size_bytes(text).has_value(), "'" << text << "'");
  }
}

BOOST_AUTO_TEST_CASE(sizes_are_written_in_the_largest_unit_that_divides_them) {
  BOOST_TEST(format_size_bytes(256u << 20) == "256M");
  BOOST_TEST(format_size_bytes(1025) == "1025");
  BOOST_TEST(format_size_bytes(std::uint64_t{3} << 40) == "3T");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
