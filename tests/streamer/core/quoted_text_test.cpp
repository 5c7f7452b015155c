#include "streamer/core/quoted_text.h"

#include <boost/test/unit_test.hpp>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(quoted_text)

BOOST_AUTO_TEST_CASE(a_text_of_80_bytes_stays_and_a_longer_one_is_cut) {
  const std::string eighty(80, 'a');
  BOOST_TEST(shortened("") == "");
  BOOST_TEST(shortened(eighty) == eighty);
  BOOST_TEST(shortened(eighty + "b") == eighty + "...");
  BOOST_TEST(shortened(std::string(100'000, 'a')) == eighty + "...");
  BOOST_TEST(in_quotes("cat") == "\"cat\"");
  BOOST_TEST(in_quotes(eighty + "b") == "\"" + eighty + "...\"");
}

// U+00FC is C3 BC, U+1F408 is F0 9F 90 88.
BOOST_AUTO_TEST_CASE(no_character_is_cut_in_two) {
  const std::string tail(80, 'z');
  BOOST_TEST(shortened(std::string(78, 'a') + "\xC3\xBC" + tail) ==
             std::string(78, 'a') + "\xC3\xBC...");
  BOOST_TEST(shortened(std::string(79, 'a') + "\xC3\xBC" + tail) == std::string(79, 'a') + "...");
  BOOST_TEST(shortened(std::string(77, 'a') + "\xF0\x9F\x90\x88" + tail) ==
             std::string(77, 'a') + "...");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_characters_are_cut_at_80) {
  const std::string bytes(200, '\x80');
  BOOST_TEST(shortened(bytes) == bytes.substr(0, 80) + "...");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
