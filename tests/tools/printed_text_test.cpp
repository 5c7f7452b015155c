#include "tools/printed_text.h"

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>

#include "tools/terminal.h"

namespace penstock::tools {
namespace {

BOOST_AUTO_TEST_SUITE(printed_text)

BOOST_AUTO_TEST_CASE(escapes_are_bytes_and_two_backslashes_are_one) {
  BOOST_TEST(text_from_printed("a b").value() == "a b");
  BOOST_TEST(text_from_printed("a\\x0ab\\x1b[2J").value() == "a\nb\x1b[2J");
  BOOST_TEST(text_from_printed("a\\\\b").value() == "a\\b");
  BOOST_TEST(text_from_printed("\\xe4").value() == "\xe4");
  BOOST_TEST(text_from_printed("\\xE4").value() == "\xe4");
  BOOST_TEST(text_from_printed("\\\\x0a").value() == "\\x0a");
  BOOST_TEST(text_from_printed("").value().empty());
}

BOOST_AUTO_TEST_CASE(what_was_never_printed_is_told_apart) {
  for (const char* text :
       {"\\", "a\\", "\\n", "\\x", "\\x0", "\\x0g", "\\x+1", "\\x-1", "a\\\\\\"}) {
    BOOST_TEST(!text_from_printed(text).has_value(), text);
  }
}

// Bytes are drawn from those that matter: escapes, their digits, UTF-8 whole and cut.
BOOST_AUTO_TEST_CASE(it_undoes_printable_for_any_bytes) {
  const unsigned seed = std::random_device()();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const std::string few = "\\x0aA\n\t\x1b\xc3\xa4\xff\x7f/";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto length = random() % 12; length > 0; --length) {
      text += random() % 4 == 0 ? static_cast<char>(random() % 256) : few[random() % few.size()];
    }
    BOOST_TEST_CONTEXT("seed " << seed << ", text " << i) {
      BOOST_REQUIRE(text_from_printed(printable(text)).value() == text);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
