#include "train/optim/name_glob.h"

#include <boost/test/unit_test.hpp>

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(name_glob)

BOOST_AUTO_TEST_CASE(a_name_matches_itself_and_nothing_else) {
  BOOST_TEST(matches_glob("conv1.weight", "conv1.weight"));
  BOOST_TEST(!matches_glob("conv1.weight", "conv1.weights"));
  BOOST_TEST(!matches_glob("conv1.weights", "conv1.weight"));
  BOOST_TEST(!matches_glob("conv1xweight", "conv1.weight"));
}

BOOST_AUTO_TEST_CASE(a_star_stands_for_any_characters_and_none) {
  BOOST_TEST(matches_glob("*", ""));
  BOOST_TEST(matches_glob("*", "a.b"));
  BOOST_TEST(matches_glob("layer4.*", "layer4.0.conv1.weight"));
  BOOST_TEST(!matches_glob("layer4.*", "layer40.conv1.weight"));
  BOOST_TEST(matches_glob("*.bias", "layer4.0.bn1.bias"));
  BOOST_TEST(matches_glob("layer*.weight", "layer.weight"));
  BOOST_TEST(matches_glob("a**b", "ab"));
}

BOOST_AUTO_TEST_CASE(a_star_tries_every_place) {
  BOOST_TEST(matches_glob("*ab*abc", "ab.ababc"));
  BOOST_TEST(!matches_glob("*ab*abc", "ab.abab"));
  BOOST_TEST(matches_glob("*.bn?.*", "layer1.0.bn2.weight"));
}

BOOST_AUTO_TEST_CASE(a_question_mark_stands_for_one_character) {
  BOOST_TEST(matches_glob("layer?.0", "layer3.0"));
  BOOST_TEST(!matches_glob("layer?.0", "layer.0"));
  BOOST_TEST(!matches_glob("layer?", "layer"));
}

BOOST_AUTO_TEST_CASE(an_empty_pattern_matches_the_empty_name_only) {
  BOOST_TEST(matches_glob("", ""));
  BOOST_TEST(!matches_glob("", "a"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
