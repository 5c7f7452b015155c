#include "streamer/core/nearest_name.h"

#include <boost/test/unit_test.hpp>
#include <vector>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(nearest_name_suite)

const std::vector<std::string_view> kNames = {"convert", "inspect", "info"};

// The textbook pair: kitten, sitten, sittin, sitting.
BOOST_AUTO_TEST_CASE(the_distance_of_kitten_and_sitting_is_three) {
  BOOST_TEST(edit_distance("kitten", "sitting") == 3u);
  BOOST_TEST(edit_distance("sitting", "kitten") == 3u);
  BOOST_TEST(edit_distance("", "abc") == 3u);
  BOOST_TEST(edit_distance("same", "same") == 0u);
}

BOOST_AUTO_TEST_CASE(a_slip_finds_its_name) {
  BOOST_TEST(nearest_name("convrt", kNames) == "convert");
  BOOST_TEST(nearest_name("inspekt", kNames) == "inspect");
  BOOST_TEST(nearest_name_hint("inof", kNames) == "did you mean 'info'?");
}

BOOST_AUTO_TEST_CASE(another_word_finds_none_and_the_hint_lists_all) {
  BOOST_TEST(nearest_name("banana", kNames) == "");
  BOOST_TEST(nearest_name("x", {}) == "");
  BOOST_TEST(nearest_name_hint("transformer", kNames) == "known names: convert inspect info");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
