#include "train/graph/toml_depth.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"
#include "train/graph/toml_table.h"

namespace penstock::train {
namespace {

std::string repeated(std::size_t count, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

std::string key_of(std::size_t num_parts) {
  return repeated(num_parts - 1, "a.") + "a";
}

bool is_too_deep(const std::string& text) {
  return line_beyond_toml_depth(text).has_value();
}

BOOST_AUTO_TEST_SUITE(toml_depth)

BOOST_AUTO_TEST_CASE(keys_and_headers_take_64_parts) {
  BOOST_TEST(!is_too_deep(key_of(64) + "=1\n"));
  BOOST_TEST(is_too_deep(key_of(65) + "=1\n"));
  BOOST_TEST(!is_too_deep("[" + key_of(63) + "]\n"));
  BOOST_TEST(is_too_deep("[" + key_of(64) + "]\nb=1"));
  BOOST_TEST(is_too_deep("[[" + key_of(65) + "]]"));
}

BOOST_AUTO_TEST_CASE(brackets_are_levels_too) {
  BOOST_TEST(!is_too_deep("a=" + repeated(62, "[") + "1" + repeated(62, "]")));
  BOOST_TEST(is_too_deep("a=" + repeated(64, "[")));
  BOOST_TEST(is_too_deep("a=" + repeated(64, "{b=")));
}

// A key of ten parts within brackets within a key of ten parts under a header: more than 64 together.
BOOST_AUTO_TEST_CASE(levels_add_up) {
  const std::string part = key_of(10);
  BOOST_TEST(!is_too_deep("[" + part + "]\n" + part + "={" + part + "={" + part + "=1}}\n"));
  BOOST_TEST(is_too_deep("[" + part + "]\n" + part + "={" + part + "={" + part + "={" + part +
                         "=[{" + part + "={" + part + "=1}}]}}}\n"));
}

BOOST_AUTO_TEST_CASE(what_ends_does_not_add_up) {
  BOOST_TEST(!is_too_deep(repeated(100, "a.b.c=1.5\n[x.y]\n")));
  BOOST_TEST(!is_too_deep("a=[" + repeated(1000, "0.5, ") + "]\n"));
  BOOST_TEST(!is_too_deep("a=[" + repeated(1000, "[1, {b.c=2}],\n") + "]\n"));
}

BOOST_AUTO_TEST_CASE(strings_and_comments_are_passed_over) {
  const std::string dots = repeated(100, ".[");
  BOOST_TEST(!is_too_deep("a='" + dots + "'\nb=\"\\\"" + dots + "\"# " + dots + "\n"));
  BOOST_TEST(!is_too_deep("a=\"\"\"\n'" + dots + "\n\"\"\"\"\"\nb='''" + dots + "\n'''\n"));
}

// After a string the count goes on, however its end is written.
BOOST_AUTO_TEST_CASE(no_string_hides_what_follows_it) {
  const std::string deep = ", {" + key_of(70) + "=1}]\n";
  for (const std::string text : {"''", "'a\\'", "\"a\\\"'\"", "\"\"", "'''b'''", "'''b'''''",
                                 "\"\"\"\\\"\"\"\"\"\"", "\"\"\"\n\\\n#\"\"\"", "1 # '\n"}) {
    BOOST_TEST(is_too_deep("a=[" + text + deep), text);
  }
  BOOST_TEST(is_too_deep("\"=\"." + key_of(64) + "=1\n"));
}

BOOST_AUTO_TEST_CASE(the_line_is_named) {
  BOOST_TEST(
      line_beyond_toml_depth("a=1\n'''\n'''\nb=\"\"\"\\\n\"\"\"\n[" + key_of(70) + "]").value() ==
      6u);
}

// 20 KB, which took all of the stack.
BOOST_AUTO_TEST_CASE(a_key_of_ten_thousand_parts_is_refused) {
  for (const std::string& text : {key_of(10000) + "=1", "[" + key_of(10000) + "]"}) {
    BOOST_CHECK_EXCEPTION(parse_toml(text, "here", "a line"), Error, [](const Error& error) {
      return error.code() == ErrorCode::kInvalidArgument && error.hint() == "a line" &&
             std::string(error.what()) ==
                 "here:1: expected TOML of at most 64 levels (parts of keys and headers, "
                 "brackets), found more";
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
