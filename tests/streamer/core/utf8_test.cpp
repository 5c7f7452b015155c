#include "streamer/core/utf8.h"

#include <boost/test/unit_test.hpp>

namespace penstock {
namespace {

using namespace std::string_view_literals;

BOOST_AUTO_TEST_SUITE(utf8)

// First and last of each length: Unicode 15, table 3-7.
BOOST_AUTO_TEST_CASE(the_first_and_the_last_character_of_each_length_are_read) {
  for (const std::string_view text : {"\0"sv, "\x7f"sv}) {
    BOOST_TEST(utf8_character_bytes(text, 0) == 1u);
  }
  for (const std::string_view text : {"\xc2\x80"sv, "\xdf\xbf"sv}) {
    BOOST_TEST(utf8_character_bytes(text, 0) == 2u);
  }
  for (const std::string_view text : {"\xe0\xa0\x80"sv, "\xed\x9f\xbf"sv, "\xef\xbf\xbf"sv}) {
    BOOST_TEST(utf8_character_bytes(text, 0) == 3u);
  }
  for (const std::string_view text : {"\xf0\x90\x80\x80"sv, "\xf4\x8f\xbf\xbf"sv}) {
    BOOST_TEST(utf8_character_bytes(text, 0) == 4u);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_utf8_has_no_length) {
  for (const std::string_view text :
       {"\x80"sv, "\xc1\xbf"sv, "\xc2"sv, "\xe0\x9f\xbf"sv, "\xed\xa0\x80"sv, "\xf0\x8f\xbf\xbf"sv,
        "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xe4pfel"sv}) {
    BOOST_TEST(utf8_character_bytes(text, 0) == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_text_is_utf8_when_all_of_it_is) {
  for (const std::string_view text : {""sv, "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"sv, "\0"sv}) {
    BOOST_TEST(is_utf8(text));
  }
  for (const std::string_view text : {"a\xe4"sv, "\xe4pfel"sv, "ok\xe2\x82"sv}) {
    BOOST_TEST(!is_utf8(text));
  }
}

BOOST_AUTO_TEST_CASE(what_a_terminal_obeys_is_not_visible) {
  for (const std::string_view text :
       {"\0"sv, "\n"sv, "\x1b"sv, "\x7f"sv, "\xc2\x80"sv, "\xc2\x9b"sv, "\xc2\x9f"sv, "\xe4"sv}) {
    BOOST_TEST(visible_character_bytes(text, 0) == 0u);
  }
  BOOST_TEST(visible_character_bytes(" ", 0) == 1u);
  BOOST_TEST(visible_character_bytes("\xc2\xa0", 0) == 2u);
  BOOST_TEST(visible_character_bytes("a\xc3\xa4", 1) == 2u);
}

BOOST_AUTO_TEST_CASE(a_text_is_judged_to_its_end) {
  for (const std::string_view text : {""sv, "a"sv, "\xc3\xa4"sv, "a\xc3\xa4pfel"sv}) {
    BOOST_TEST(is_utf8(text));
    BOOST_TEST(is_visible(text));
  }
  for (const std::string_view text : {"\xc3"sv, "a\xe4"sv, "\xe4pfel"sv}) {
    BOOST_TEST(!is_utf8(text));
    BOOST_TEST(!is_visible(text));
  }
  for (const std::string_view text : {"a\n"sv, "\x1b[2J"sv}) {
    BOOST_TEST(is_utf8(text));
    BOOST_TEST(!is_visible(text));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
