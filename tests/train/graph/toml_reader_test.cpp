#include "train/graph/toml_reader.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

std::string example_of(const std::string& key) {
  return "example of " + key;
}

struct Fixture {
  const TomlTable table = parse_toml(
      "text = \"x\"\ntruth = true\nwhole = 3\nreal = 0.5\nlist = [1, 0.5]\nmixed = [1, \"x\"]\n"
      "none = []\n[inner]\n[[many]]\n[[many]]\n",
      "here", "");
  TomlReader reader{table, {.where = "run: a.toml", .prefix = "augment.", .example = example_of}};

  static std::string refusal_of(const auto& action) {
    try {
      action();
    } catch (const Error& error) {
      BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
      return std::string(error.what()) + " | " + error.hint();
    }
    return "accepted";
  }
};

BOOST_FIXTURE_TEST_SUITE(toml_reader, Fixture)

BOOST_AUTO_TEST_CASE(known_keys_are_taken_with_their_types) {
  BOOST_TEST(reader.text("text").value() == "x");
  BOOST_TEST(reader.truth("truth").value());
  BOOST_TEST(reader.whole("whole", 3).value() == 3u);
  BOOST_TEST(reader.number("whole").value() == 3.0);  // an integer serves as a number
  BOOST_TEST(reader.number("real").value() == 0.5);
  BOOST_TEST((reader.numbers("list").value() == std::vector<double>{1, 0.5}));
  BOOST_TEST(reader.table("inner")->empty());
  BOOST_TEST(reader.tables("many")->size() == 2u);
  BOOST_TEST(!reader.text("absent").has_value());
  BOOST_TEST(reader.tables("absent") == nullptr);
}

BOOST_AUTO_TEST_CASE(other_types_are_refused_with_place_and_example) {
  const auto expected = [](const std::string& key, const std::string& rest) {
    return "run: a.toml: augment." + key + ": expected " + rest + " | example of augment." + key;
  };
  BOOST_TEST(refusal_of([&] { reader.text("whole"); }) ==
             expected("whole", "a text, found the number 3"));
  BOOST_TEST(refusal_of([&] { reader.truth("text"); }) ==
             expected("text", "true or false, found the text \"x\""));
  BOOST_TEST(refusal_of([&] { reader.number("text"); }) ==
             expected("text", "a number, found the text \"x\""));
  BOOST_TEST(refusal_of([&] { reader.whole("real", 9); }) ==
             expected("real", "a whole number, found the number 0.5"));
  BOOST_TEST(refusal_of([&] { reader.whole("whole", 2); }) ==
             expected("whole", "a whole number from 0 to 2, found the number 3"));
  BOOST_TEST(refusal_of([&] { reader.numbers("mixed"); }) ==
             expected("mixed", "a list of numbers, found a list with the text \"x\""));
  BOOST_TEST(refusal_of([&] { reader.table("list"); }) ==
             expected("list", "a table, found a list"));
  BOOST_TEST(refusal_of([&] { reader.tables("list"); }) ==
             expected("list", "[[list]] tables, found a list with the number 1"));
  BOOST_TEST(refusal_of([&] { reader.tables("none"); }) ==
             expected("none", "[[none]] tables, found an empty list"));
}

BOOST_AUTO_TEST_CASE(a_key_that_nobody_asked_for_is_refused) {
  for (const char* key : {"text", "truth", "whole", "list", "mixed", "none", "inner", "many"}) {
    reader.find(key);
  }
  reader.find("real_");
  BOOST_TEST(refusal_of([&] { reader.finish(); }) ==
             "run: a.toml: expected a known key, found 'augment.real' | did you mean "
             "'augment.real_'?");
  reader.find("real");
  BOOST_TEST(refusal_of([&] { reader.finish(); }) == "accepted");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
