#include "tools/convert/image/exif_orientation.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

namespace penstock::convert {
namespace {

using namespace std::string_literals;

std::uint8_t orientation(const std::string& jpeg) {
  return read_exif_orientation(std::as_bytes(std::span(jpeg)));
}

std::string segment(char marker, const std::string& data) {
  const std::size_t length = data.size() + 2;
  return "\xFF"s + marker + static_cast<char>(length >> 8) + static_cast<char>(length & 0xFF) +
         data;
}

// TIFF 6.0, section 2: "II", 42, offset 8; one entry: tag 0x0112, SHORT, count 1, value.
std::string little_endian_tiff(char value) {
  return "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"s + value + "\0\0\0\0\0\0\0"s;
}
std::string big_endian_tiff(char value) {
  return "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s + value + "\0\0\0\0\0\0"s;
}

const std::string kSoi = "\xFF\xD8";
const std::string kExif = "Exif\0\0"s;
const std::string kJfif = segment('\xE0', "JFIF\0\1\1\0\0\1\0\1\0\0"s);
const std::string kSos = "\xFF\xDA\0\x0C"s;

BOOST_AUTO_TEST_SUITE(exif_orientation)

BOOST_AUTO_TEST_CASE(a_jpeg_is_told_an_orientation_in_its_exif_or_in_one_of_its_own) {
  const auto told = [](const std::string& jpeg) {
    const std::vector<std::byte> bytes = with_exif_orientation(std::as_bytes(std::span(jpeg)), 6);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  const std::string own = segment('\xE1', kExif + big_endian_tiff(6));
  BOOST_TEST(told(kSoi + kSos) == kSoi + own + kSos);
  BOOST_TEST(told(kSoi + kJfif + kSos) == kSoi + kJfif + own + kSos);
  for (const auto& tiff : {little_endian_tiff, big_endian_tiff}) {
    BOOST_TEST(told(kSoi + kJfif + segment('\xE1', kExif + tiff(3)) + kSos) ==
               kSoi + kJfif + segment('\xE1', kExif + tiff(6)) + kSos);
  }
  // Without such a value in it: ours is the first, and so the one that counts.
  const std::string empty = segment('\xE1', kExif + "MM\0*\0\0\0\x08\0\0\0\0\0\0"s);
  BOOST_TEST(told(kSoi + empty + kSos) == kSoi + own + empty + kSos);
  BOOST_TEST(orientation(told(kSoi + empty + kSos)) == 6);
  BOOST_TEST(told(kSoi) == kSoi + own);
}

BOOST_AUTO_TEST_CASE(both_byte_orders_are_read) {
  for (char value = 1; value <= 8; ++value) {
    BOOST_TEST(orientation(kSoi + kJfif + segment('\xE1', kExif + little_endian_tiff(value))) ==
               value);
    BOOST_TEST(orientation(kSoi + segment('\xE1', kExif + big_endian_tiff(value))) == value);
  }
}

BOOST_AUTO_TEST_CASE(a_picture_without_exif_is_upright) {
  BOOST_TEST(orientation(kSoi + kJfif + kSos) == 1);
  BOOST_TEST(orientation("") == 1);
  BOOST_TEST(orientation("\xFF") == 1);
  // XMP uses the same segment under another name.
  BOOST_TEST(orientation(kSoi + segment('\xE1', "http://ns.adobe.com/xap/1.0/\0<x/>"s)) == 1);
}

BOOST_AUTO_TEST_CASE(values_outside_of_one_to_eight_are_upright) {
  BOOST_TEST(orientation(kSoi + segment('\xE1', kExif + little_endian_tiff(0))) == 1);
  BOOST_TEST(orientation(kSoi + segment('\xE1', kExif + little_endian_tiff(9))) == 1);
}

BOOST_AUTO_TEST_CASE(exif_behind_the_picture_data_does_not_count) {
  BOOST_TEST(orientation(kSoi + kSos + segment('\xE1', kExif + little_endian_tiff(6))) == 1);
}

BOOST_AUTO_TEST_CASE(fill_bytes_between_segments_are_passed) {
  BOOST_TEST(orientation(kSoi + "\xFF\xFF"s + segment('\xE1', kExif + little_endian_tiff(6))) == 6);
}

BOOST_AUTO_TEST_CASE(every_cut_and_every_flipped_byte_is_survived) {
  const std::string whole = kSoi + kJfif + segment('\xE1', kExif + little_endian_tiff(6)) + kSos;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::uint8_t value = orientation(whole.substr(0, length));
    BOOST_REQUIRE((value == 1 || value == 6));
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int flip = 1; flip < 256; ++flip) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      const std::uint8_t value = orientation(damaged);
      BOOST_REQUIRE((value >= 1 && value <= 8));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_segment_shorter_than_its_own_length_field_is_no_segment) {
  BOOST_TEST(orientation(kSoi + "\xFF\xE1\0\0"s + kExif + little_endian_tiff(6)) == 1);
  BOOST_TEST(orientation(kSoi + "\xFF\xE1\0\1"s + kExif + little_endian_tiff(6)) == 1);
}

BOOST_AUTO_TEST_CASE(a_directory_that_lies_outside_is_upright) {
  BOOST_TEST(orientation(kSoi + segment('\xE1', kExif + "II*\0\xFF\xFF\xFF\xFF"s)) == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
