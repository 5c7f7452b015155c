#include "train/graph/toml_table.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

TomlTable parse(const std::string& text) {
  return parse_toml(text, "here", "a line");
}

BOOST_AUTO_TEST_SUITE(toml_table)

// https://toml.io/en/v1.0.0: the types, and that integers and floats differ.
BOOST_AUTO_TEST_CASE(every_type_is_read) {
  const TomlTable table = parse(
      "text = 'a\\b'\nwhole = -1_000\nreal = 1e3\ntruth = true\nlist = [1, \"x\", [2.5]]\n"
      "day = 1979-05-27\n[inner]\nkey = 1\n");
  BOOST_TEST(*find_key(table, "text")->as<std::string>() == "a\\b");
  BOOST_TEST(*find_key(table, "whole")->as<std::int64_t>() == -1000);
  BOOST_TEST(*find_key(table, "real")->as<double>() == 1000.0);
  BOOST_TEST(*find_key(table, "truth")->as<bool>());
  const TomlList& list = *find_key(table, "list")->as<TomlList>();
  BOOST_REQUIRE(list.size() == 3u);
  BOOST_TEST(*list[0].as<std::int64_t>() == 1);
  BOOST_TEST(*list[2].as<TomlList>()->front().as<double>() == 2.5);
  BOOST_TEST(find_key(table, "day")->as<TomlMoment>()->text == "1979-05-27");
  BOOST_TEST(*find_key(*find_key(table, "inner")->as<TomlTable>(), "key")->as<std::int64_t>() == 1);
  BOOST_TEST(find_key(table, "tex") == nullptr);
}

BOOST_AUTO_TEST_CASE(numbers_are_taken_when_they_fit) {
  BOOST_TEST(as_number({std::int64_t{3}}).value() == 3.0);
  BOOST_TEST(!as_number({std::string("3")}).has_value());
  BOOST_TEST(as_whole({std::int64_t{7}}, 7).value() == 7u);
  BOOST_TEST(!as_whole({std::int64_t{8}}, 7).has_value());
  BOOST_TEST(!as_whole({std::int64_t{-1}}, UINT64_MAX).has_value());
  BOOST_TEST(!as_whole({7.0}, 7).has_value());
}

// The texts follow from the specification alone: a float has a point, a basic string escapes quotes,
// backslashes and control characters, a bare key has letters, digits, - and _.
BOOST_AUTO_TEST_CASE(values_are_written_as_they_read_back) {
  const std::string lines =
      "\"a key\" = { a = 1, b = [] }\n"
      "day = 1979-05-27\n"
      "large = 1e+300\n"
      "list = [1, 2.0, \"x\"]\n"
      "real = 3.0\n"
      "text = \"a\\\\b \\\"c\\\" \\u0001\"\n"
      "truth = false\n"
      "whole = 3\n";
  BOOST_TEST(format_toml_lines(parse(lines)) == lines);
}

BOOST_AUTO_TEST_CASE(values_are_described_for_errors) {
  const TomlTable table = parse("a = \"x\"\nb = 1.5\nc = true\nd = []\ne = {}\nf = 07:32:00\n");
  const std::vector<std::string> expected = {"the text \"x\"", "the number 1.5", "true",
                                             "a list",         "a table",        "a date or time"};
  std::vector<std::string> found;
  for (const TomlEntry& entry : table) found.push_back(describe_toml(entry.value));
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(bad_syntax_is_placed) {
  BOOST_CHECK_EXCEPTION(parse("a = 1\nb = = 2\n"), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument && error.hint() == "a line" &&
           std::string(error.what()).starts_with("here:2:5: expected TOML, found an error: ");
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
