#include "tools/convert/source/split_draw.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace penstock::convert {
namespace {

PictureList undecided(std::size_t num_pictures) {
  PictureList pictures;
  for (std::size_t i = 0; i < num_pictures; ++i) {
    pictures.add({.name = "cat/" + std::to_string(i), .split = std::nullopt});
  }
  return pictures;
}

BOOST_AUTO_TEST_SUITE(split_draw)

BOOST_AUTO_TEST_CASE(splits_that_a_source_gives_stay_and_the_others_are_drawn_by_name) {
  PictureList pictures = undecided(1000);
  pictures.set_split(3, SplitKind::kTest);
  const SplitRule rule{.validation_fraction = 0.25, .test_fraction = 0.0, .seed = 5};
  draw_splits(pictures, rule);
  BOOST_CHECK(pictures[3].split == SplitKind::kTest);
  std::size_t num_validation = 0;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (i == 3) continue;
    BOOST_CHECK(pictures[i].split == rule.split_of(pictures.name(i)));
    num_validation += pictures[i].split == SplitKind::kValidation ? 1 : 0;
  }
  // Mean 250, deviation 14.
  BOOST_TEST(num_validation > 180u);
  BOOST_TEST(num_validation < 320u);
}

BOOST_AUTO_TEST_CASE(a_tenth_goes_to_validation_unless_the_source_has_splits) {
  PictureList pictures = undecided(10);
  BOOST_TEST(split_rule_of(pictures, {}).validation_fraction == 0.1);
  BOOST_TEST(split_rule_of(pictures, {.validation_fraction = 0.5}).validation_fraction == 0.5);
  pictures.set_split(7, SplitKind::kTrain);
  BOOST_TEST(split_rule_of(pictures, {}).validation_fraction == 0.0);
  BOOST_TEST(split_rule_of(pictures, {.test_fraction = 0.5}).test_fraction == 0.5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
