// BMP by hand, from wingdi.h; and what OpenCV reads of it.
#include "tools/convert/image/bmp_picture.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <variant>

#include "fixtures/picture_bytes.h"
#include "tests/tools/convert/image/opencv_picture.h"

namespace penstock::convert {
namespace {

using fixtures::append_little;
using fixtures::Bytes;
using Values = std::vector<std::uint8_t>;

constexpr RgbColour kBackground{.red = 255, .green = 255, .blue = 255};

struct Bmp {
  std::uint32_t width_px = 4;
  std::int32_t height_px = 2;
  std::uint16_t bits = 8;
  std::uint32_t compression = 0;
  std::uint32_t header_bytes = 40;
  std::vector<std::uint32_t> masks = {};
  std::vector<std::uint32_t> palette = {};  // 0xRRGGBB
  Values data = {};
};

Bytes bmp(const Bmp& picture) {
  const bool is_core = picture.header_bytes == 12;
  Bytes header;
  append_little(header, picture.header_bytes, 4);
  append_little(header, picture.width_px, is_core ? 2 : 4);
  append_little(header, static_cast<std::uint32_t>(picture.height_px), is_core ? 2 : 4);
  append_little(header, 1, 2);
  append_little(header, picture.bits, 2);
  if (!is_core) {
    append_little(header, picture.compression, 4);
    header.resize(40);
    header[32] = static_cast<std::byte>(picture.palette.size());
  }
  for (const std::uint32_t mask : picture.masks) append_little(header, mask, 4);
  if (header.size() < picture.header_bytes) header.resize(picture.header_bytes);
  for (const std::uint32_t colour : picture.palette) append_little(header, colour, is_core ? 3 : 4);
  Bytes file = fixtures::bytes_of("BM");
  append_little(file, 14 + header.size() + picture.data.size(), 4);
  append_little(file, 0, 4);
  append_little(file, 14 + header.size(), 4);
  fixtures::append(file, header);
  fixtures::append(file, std::as_bytes(std::span(picture.data)));
  return file;
}

DecodeOutcome decode(const Bytes& file) {
  return decode_bmp_picture(file, *read_declared_size(ImageFormat::kBmp, file), kBackground);
}

Values pixels(const Bmp& picture) {
  DecodeOutcome outcome = decode(bmp(picture));
  if (const auto* const why = std::get_if<std::string>(&outcome)) BOOST_FAIL(*why);
  return std::get<DecodedPixels>(outcome).pixels_hwc;
}

std::string refusal(const Bmp& picture) {
  const DecodeOutcome outcome = decode(bmp(picture));
  BOOST_REQUIRE(std::holds_alternative<std::string>(outcome));
  return std::get<std::string>(outcome);
}

const std::vector<std::uint32_t> kGrays = {0x000000, 0x111111, 0x222222, 0x333333};

BOOST_AUTO_TEST_SUITE(bmp_picture)

BOOST_AUTO_TEST_CASE(rows_stand_from_the_bottom_unless_the_height_is_negative) {
  const Values data = {0, 1, 2, 3, 3, 2, 1, 0};
  BOOST_TEST(pixels({.palette = kGrays, .data = data}) ==
                 Values({0x33, 0x22, 0x11, 0, 0, 0x11, 0x22, 0x33}),
             boost::test_tools::per_element());
  BOOST_TEST(pixels({.height_px = -2, .palette = kGrays, .data = data}) ==
                 Values({0, 0x11, 0x22, 0x33, 0x33, 0x22, 0x11, 0}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_palette_of_colours_makes_colours_also_behind_the_header_of_os_2) {
  const Values expected = {0x12, 0x34, 0x56, 0, 0, 0};
  for (const std::uint32_t header_bytes : {12u, 40u, 108u, 124u}) {
    BOOST_TEST(pixels({.width_px = 2,
                       .height_px = 1,
                       .bits = 1,
                       .header_bytes = header_bytes,
                       .palette = {0x000000, 0x123456},
                       .data = {0x80, 0, 0, 0}}) == expected,
               boost::test_tools::per_element());
  }
}

// 5 bits: 31 is 255, 1 is 255 / 31 = 8.2; 6 bits: 1 is 4.05.
BOOST_AUTO_TEST_CASE(masks_say_where_a_colour_lies_and_how_many_bits_it_has) {
  const Values two = {0x1F, 0x00, 0x21, 0x08};  // 0x001F and 0x0821
  BOOST_TEST(pixels({.width_px = 2, .height_px = 1, .bits = 16, .data = two}) ==
                 Values({0, 0, 255, 16, 8, 8}),
             boost::test_tools::per_element());  // 5-5-5: 00010 00001 00001
  BOOST_TEST(pixels({.width_px = 2,
                     .height_px = 1,
                     .bits = 16,
                     .compression = 3,
                     .masks = {0xF800, 0x07E0, 0x001F},
                     .data = two}) == Values({0, 0, 255, 8, 4, 8}),
             boost::test_tools::per_element());  // 5-6-5: 00001 000001 00001
  // Red, green and blue the other way round; alpha 51 of 255 on white: 0.2 of each, and 204.
  BOOST_TEST(pixels({.width_px = 1,
                     .height_px = 1,
                     .bits = 32,
                     .compression = 3,
                     .header_bytes = 56,
                     .masks = {0xFF, 0xFF00, 0xFF0000, 0xFF000000},
                     .data = {100, 0, 255, 51}}) == Values({224, 204, 255}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_fourth_byte_is_no_alpha_without_a_mask) {
  BOOST_TEST(pixels({.width_px = 1, .height_px = 1, .bits = 32, .data = {1, 2, 3, 0}}) ==
                 Values({3, 2, 1}),
             boost::test_tools::per_element());
}

// "Bitmap Compression": a run, bytes as they are, a move right and up, the end of a line and of all.
BOOST_AUTO_TEST_CASE(runs_of_8_and_of_4_bit_are_unfolded) {
  const Values data = {3, 1, 1, 2, 0, 0, 0, 3, 3, 2, 1, 0, 0, 1};
  BOOST_TEST(pixels({.compression = 1, .palette = kGrays, .data = data}) ==
                 Values({0x33, 0x22, 0x11, 0, 0x11, 0x11, 0x11, 0x22}),
             boost::test_tools::per_element());
  const Values nibbles = {3, 0x12, 1, 0x30, 0, 0, 0, 3, 0x32, 0x10, 0, 1};
  BOOST_TEST(pixels({.bits = 4, .compression = 2, .palette = kGrays, .data = nibbles}) ==
                 Values({0x33, 0x22, 0x11, 0, 0x11, 0x22, 0x11, 0x33}),
             boost::test_tools::per_element());
  const Values moved = {0, 2, 3, 1, 1, 3, 0, 1};
  BOOST_TEST(pixels({.compression = 1, .palette = kGrays, .data = moved}) ==
                 Values({0, 0, 0, 0x33, 0, 0, 0, 0}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(runs_that_leave_the_picture_and_rows_that_are_missing_are_refused) {
  for (const Values& data :
       {Values{5, 1, 0, 1}, Values{0, 2, 5, 0, 0, 1}, Values{0, 2, 0, 9, 1, 1, 0, 1},
        Values{4, 1, 0, 0}, Values{0, 3, 1}, Values{}}) {
    BOOST_TEST(refusal({.compression = 1, .palette = kGrays, .data = data}) != "");
  }
  BOOST_TEST(refusal({.palette = kGrays, .data = {1, 2, 3, 4, 1, 2, 3}}) ==
             "BMP with fewer bytes than its rows have");
}

BOOST_AUTO_TEST_CASE(codings_of_other_kinds_are_named) {
  BOOST_TEST(refusal({.compression = 5}) == "a picture with 8 bits in coding 5 of BMP");
  BOOST_TEST(refusal({.bits = 7}) == "a picture with 7 bits in coding 0 of BMP");
}

// But for OS/2's header, behind which OpenCV 4.6 begins four bytes late.
BOOST_AUTO_TEST_CASE(pixels_are_those_that_opencv_reads) {
  Values data;
  for (int i = 0; i < 400; ++i) data.push_back(static_cast<std::uint8_t>(i * 37 + i / 9));
  std::vector<std::uint32_t> palette;
  for (std::uint32_t i = 0; i < 16; ++i) palette.push_back(i * 0x0A1B3C);
  const std::vector<std::uint32_t> few(palette.begin(), palette.begin() + 2);
  for (const Bmp& picture :
       {Bmp{.width_px = 13, .height_px = 9, .bits = 4, .palette = palette, .data = data},
        Bmp{.width_px = 13, .height_px = -9, .bits = 1, .palette = few, .data = data},
        Bmp{.width_px = 9, .height_px = 11, .bits = 24, .data = data},
        Bmp{.width_px = 7, .height_px = 11, .bits = 32, .data = data}}) {
    const auto expected = tests::read_by_opencv(bmp(picture), kBackground);
    BOOST_REQUIRE(expected.has_value());
    BOOST_CHECK_MESSAGE(pixels(picture) == expected->pixels_hwc,
                        picture.bits << " bit, header of " << picture.header_bytes);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
