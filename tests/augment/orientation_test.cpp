// The eight EXIF orientations, from the map to the batch.
#include <boost/test/unit_test.hpp>

#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

struct Stored {
  std::uint8_t orientation;
  SizePx size;
  std::vector<std::uint8_t> pixels;
};

BOOST_AUTO_TEST_SUITE(orientation)

// Upright picture of 3 x 2:   10 20 30
//                             40 50 60
// Stored forms written by hand from EXIF 2.32, tag 0x0112: the value says which side of the upright
// picture row 0 and column 0 of the stored one are.
BOOST_AUTO_TEST_CASE(every_exif_value_shows_the_upright_picture) {
  const std::vector<float> upright = {10, 20, 30, 40, 50, 60};
  const std::vector<Stored> all = {
      {1, {3, 2}, {10, 20, 30, 40, 50, 60}},  // row 0 top, column 0 left
      {2, {3, 2}, {30, 20, 10, 60, 50, 40}},  // top, right
      {3, {3, 2}, {60, 50, 40, 30, 20, 10}},  // bottom, right
      {4, {3, 2}, {40, 50, 60, 10, 20, 30}},  // bottom, left
      {5, {2, 3}, {10, 40, 20, 50, 30, 60}},  // left, top
      {6, {2, 3}, {30, 60, 20, 50, 10, 40}},  // right, top
      {7, {2, 3}, {60, 30, 50, 20, 40, 10}},  // right, bottom
      {8, {2, 3}, {40, 10, 50, 20, 60, 30}},  // left, bottom
      {0, {3, 2}, {10, 20, 30, 40, 50, 60}},  // out of range: as 1
      {9, {3, 2}, {10, 20, 30, 40, 50, 60}},
  };
  const AugmentTransform transform({.rescale = 1});
  for (const Stored& stored : all) {
    BOOST_TEST_CONTEXT("orientation " << int{stored.orientation}) {
      const TestPicture picture = gray_picture(stored.size, stored.pixels);
      const std::vector<float> out =
          transform_picture(transform, picture.decoded(), info_of(stored.size, stored.orientation),
                            spec_of({3, 2}, 1), Draws({}));
      BOOST_TEST(out == upright, boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(the_upright_sides_are_swapped_for_five_to_eight) {
  for (std::uint8_t value = 0; value < 10; ++value) {
    const bool is_turned = value >= 5 && value <= 8;
    const SizePx expected = is_turned ? SizePx{2, 3} : SizePx{3, 2};
    BOOST_TEST((upright_size({3, 2}, value) == expected), "orientation " << int{value});
  }
}

// A flip mirrors what the viewer sees, whatever the stored form: orientation 6 of the picture
// above.
BOOST_AUTO_TEST_CASE(a_flip_mirrors_the_upright_picture) {
  const TestPicture picture = gray_picture({2, 3}, {30, 60, 20, 50, 10, 40});
  const AugmentTransform transform({.horizontal_flip = 1, .rescale = 1});
  const std::vector<float> expected = {30, 20, 10, 60, 50, 40};
  const std::vector<float> out = transform_picture(transform, picture.decoded(), info_of({2, 3}, 6),
                                                   spec_of({3, 2}, 1), Draws({}));
  BOOST_TEST(out == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
