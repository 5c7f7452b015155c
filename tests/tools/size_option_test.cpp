#include "tools/size_option.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"

namespace penstock::tools {
namespace {

BOOST_AUTO_TEST_SUITE(size_option)

BOOST_AUTO_TEST_CASE(sizes_are_powers_of_1024) {
  BOOST_TEST(parse_byte_size("4096", "--x") == 4096u);
  BOOST_TEST(parse_byte_size("1K", "--x") == 1024u);
  BOOST_TEST(parse_byte_size("256M", "--x") == 268435456u);
  BOOST_TEST(parse_byte_size("2g", "--x") == 2147483648u);
  BOOST_TEST(parse_byte_size("1T", "--x") == 1099511627776u);
}

BOOST_AUTO_TEST_CASE(what_is_no_size_is_refused) {
  // 2^24 T is 2^64: one more than fits.
  for (const char* text :
       {"", "M", "0", "-1", "1.5G", "12Q", "12MB", " 1", "16777216T", "18446744073709551616"}) {
    BOOST_CHECK_THROW(parse_byte_size(text, "--x"), Error);
  }
}

BOOST_AUTO_TEST_CASE(the_message_names_flag_and_value) {
  BOOST_CHECK_EXCEPTION(parse_byte_size("12Q", "--memory"), Error, [](const Error& error) {
    return std::string(error.what()) ==
               "--memory: expected a size such as 256M or 2G, found '12Q'" &&
           error.hint() == "--memory 256M";
  });
}

BOOST_AUTO_TEST_CASE(a_count_stays_in_its_range) {
  BOOST_TEST(parse_count("12", "--x", {.min = 1, .max = 12}) == 12u);
  BOOST_CHECK_THROW(parse_count("13", "--x", {.min = 1, .max = 12}), Error);
  BOOST_CHECK_THROW(parse_count("0", "--x", {.min = 1, .max = 12}), Error);
  BOOST_CHECK_THROW(parse_count("1e3", "--x", {}), Error);
}

BOOST_AUTO_TEST_CASE(a_fraction_is_below_one) {
  BOOST_TEST(parse_fraction("0.25", "--x") == 0.25);
  BOOST_TEST(parse_fraction("0", "--x") == 0.0);
  for (const char* text : {"1", "-0.1", "nan", "10%", ""}) {
    BOOST_CHECK_THROW(parse_fraction(text, "--x"), Error);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
