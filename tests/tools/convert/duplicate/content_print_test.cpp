#include "tools/convert/duplicate/content_print.h"

#include <boost/test/unit_test.hpp>
#include <vector>

namespace penstock::convert {
namespace {

SourcePicture picture_of(std::size_t num_bytes) {
  SourcePicture picture;
  for (std::size_t i = 0; i < num_bytes; ++i) {
    picture.bytes.push_back(static_cast<std::byte>(i * 7 + i / 256));
  }
  return picture;
}

BOOST_AUTO_TEST_SUITE(content_print)

BOOST_AUTO_TEST_CASE(an_encoded_picture_is_told_by_the_xxh3_128_of_its_bytes) {
  const SourcePicture picture = picture_of(1000);
  BOOST_CHECK(content_digest(picture) == xxh3_128(picture.bytes));
}

BOOST_AUTO_TEST_CASE(bare_pixels_of_other_sides_are_another_picture) {
  SourcePicture picture = picture_of(24);
  const Digest128 encoded = content_digest(picture);
  picture.raw = {.height_px = 2, .width_px = 4, .channels = 3};
  const Digest128 lying = content_digest(picture);
  BOOST_CHECK(content_digest(picture) == lying);
  picture.raw = {.height_px = 4, .width_px = 2, .channels = 3};
  BOOST_CHECK(content_digest(picture) != lying);
  BOOST_CHECK(encoded != lying);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
