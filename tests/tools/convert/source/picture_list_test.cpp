#include "tools/convert/source/picture_list.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace penstock::convert {
namespace {

BOOST_AUTO_TEST_SUITE(picture_list)

BOOST_AUTO_TEST_CASE(a_list_gives_back_what_was_added) {
  PictureList pictures;
  for (std::uint32_t i = 0; i < 100; ++i) {
    const std::string name(i % 7, static_cast<char>('a' + i % 26));  // some are empty
    pictures.add({.name = name,
                  .size_bytes = 10ull * i,
                  .place = std::uint64_t{i} << 40,
                  .class_idx = i % 3,
                  .split = i % 2 == 0 ? std::nullopt : std::optional(SplitKind::kTest)});
  }
  BOOST_TEST(pictures.size() == 100u);
  BOOST_TEST(pictures.total_bytes() == 10ull * 99 * 100 / 2);
  for (std::uint32_t i = 0; i < 100; ++i) {
    const ListedPicture picture = pictures[i];
    BOOST_TEST(picture.name == std::string(i % 7, static_cast<char>('a' + i % 26)));
    BOOST_TEST(picture.size_bytes == 10ull * i);
    BOOST_TEST(picture.place == std::uint64_t{i} << 40);
    BOOST_TEST(picture.class_idx == i % 3);
    BOOST_TEST(picture.split.has_value() == (i % 2 == 1));
  }
}

BOOST_AUTO_TEST_CASE(a_split_that_is_drawn_later_is_kept) {
  PictureList pictures;
  pictures.add({.name = "a", .split = std::nullopt});
  pictures.add({.name = "b", .split = SplitKind::kTest});
  pictures.set_split(0, SplitKind::kValidation);
  BOOST_CHECK(pictures[0].split == SplitKind::kValidation);
  BOOST_CHECK(pictures[1].split == SplitKind::kTest);
}

BOOST_AUTO_TEST_CASE(a_reserved_list_takes_some_40_bytes_a_picture_beside_its_name) {
  PictureList pictures;
  pictures.reserve(1000, 20'000);
  for (int i = 0; i < 1000; ++i) {
    pictures.add({.name = std::string(20, 'x'), .split = SplitKind::kTrain});
  }
  BOOST_TEST(pictures.memory_bytes() >= 20'000u + 1000 * 28);
  BOOST_TEST(pictures.memory_bytes() <= 20'000u + 1000 * 40);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
