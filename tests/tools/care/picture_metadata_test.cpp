#include "tools/care/picture_metadata.h"

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>

#include "fixtures/jpeg_edit.h"
#include "fixtures/picture_bytes.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/image/jpeg_strip.h"
#include "tools/convert/image/png_strip.h"

namespace penstock::care {
namespace {

using namespace std::string_literals;

std::string big_endian(std::size_t value, int num_bytes) {
  std::string bytes;
  for (int i = num_bytes - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

std::string segment(unsigned char marker, const std::string& payload) {
  return "\xFF"s + static_cast<char>(marker) + big_endian(payload.size() + 2, 2) + payload;
}

std::string chunk(const std::string& kind, const std::string& data) {
  return big_endian(data.size(), 4) + kind + data + "crc!";
}

// TIFF 6.0, section 2: little-endian, one entry: tag, type LONG, count 1, value 26.
std::string tiff_with_tag(unsigned tag) {
  return "II*\0"s + "\x08\0\0\0"s + "\x01\0"s + static_cast<char>(tag & 0xFF) +
         static_cast<char>(tag >> 8) + "\x04\0\x01\0\0\0\x1A\0\0\0"s + "\0\0\0\0"s;
}

constexpr unsigned kGps = 0x8825;          // Exif 3.0, 4.6.3
constexpr unsigned kOrientation = 0x0112;  // a LONG here, which read_tiff_tag takes too

PictureMetadata read(const std::string& bytes) {
  return read_picture_metadata(std::as_bytes(std::span(bytes)));
}

std::string jpeg_with(const std::string& segments) {
  const std::vector<std::byte> plain = tests::picture_jpeg({});
  std::string bytes(reinterpret_cast<const char*>(plain.data()), plain.size());
  return bytes.insert(2, segments);
}

BOOST_AUTO_TEST_SUITE(picture_metadata)

BOOST_AUTO_TEST_CASE(segments_of_a_jpeg_are_told_apart) {
  BOOST_TEST((read(jpeg_with("")) == PictureMetadata{}));
  const std::string exif = "Exif\0\0"s;
  BOOST_TEST((read(jpeg_with(segment(0xE1, exif + tiff_with_tag(kGps)))) ==
              PictureMetadata{.has_exif = true, .has_gps = true}));
  BOOST_TEST((read(jpeg_with(segment(0xE1, exif + tiff_with_tag(kOrientation)))) ==
              PictureMetadata{.has_exif = true}));
  BOOST_TEST((read(jpeg_with(segment(0xE1, "http://ns.adobe.com/xap/1.0/\0<x/>"s))) ==
              PictureMetadata{.has_xmp = true}));
  BOOST_TEST((read(jpeg_with(segment(0xE2, "ICC_PROFILE\0\x01\x01profile"s))) ==
              PictureMetadata{.has_colour_profile = true}));
  BOOST_TEST((read(jpeg_with(segment(0xED, "Photoshop 3.0\0 8BIM"s))) ==
              PictureMetadata{.has_iptc = true}));
  BOOST_TEST((read(jpeg_with(segment(0xFE, "taken by me"))) == PictureMetadata{.has_text = true}));
  BOOST_TEST(
      (read(jpeg_with(segment(0xE1, "other"s) + segment(0xE5, "Exif\0\0"s))) == PictureMetadata{}));
}

// An orientation alone tells nothing of anybody.
BOOST_AUTO_TEST_CASE(what_is_stripped_carries_nothing_but_colours) {
  const std::string turned = "\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"s;
  const std::string place = "\x25\x88\x04\0\x01\0\0\0\x26\0\0\0"s;
  const std::string told = jpeg_with(
      segment(0xE1, "Exif\0\0II*\0\x08\0\0\0\x02\0"s + turned + place + "\0\0\0\0\0\0\0\0"s) +
      segment(0xE1, "http://ns.adobe.com/xap/1.0/\0<x/>"s) +
      segment(0xED, "Photoshop 3.0\0 8BIM"s) + segment(0xFE, "taken by me") +
      segment(0xE2, "ICC_PROFILE\0\x01\x01profile"s));
  BOOST_TEST((read(told) == PictureMetadata{.has_exif = true,
                                            .has_gps = true,
                                            .has_xmp = true,
                                            .has_iptc = true,
                                            .has_colour_profile = true,
                                            .has_text = true}));
  const auto stripped = convert::strip_jpeg(std::as_bytes(std::span(told)));
  BOOST_REQUIRE(stripped.has_value());
  BOOST_TEST(int{convert::read_exif_orientation(*stripped)} == 6);
  BOOST_TEST((read_picture_metadata(*stripped) == PictureMetadata{.has_colour_profile = true}));
}

// What inspect --metadata counts after --strip-metadata with and without --resize-short 100.
BOOST_AUTO_TEST_CASE(what_a_stripping_conversion_stores_carries_nothing_whatever_made_it) {
  const auto plain = fixtures::pattern_jpeg({.width_px = 150, .height_px = 120});
  const auto told =
      fixtures::with_segment(fixtures::with_orientation(plain, 6), fixtures::JpegMarker::kComment,
                             fixtures::bytes_of("taken by me"));
  for (const bool is_resized : {false, true}) {
    convert::CheckSettings settings{.strips_metadata = true};
    if (is_resized) settings.encode.resize_short_px = 100;
    const auto verdict = convert::ImageChecker(settings).check(told, "a.jpg", {});
    BOOST_TEST(verdict.is_resized == is_resized);
    BOOST_TEST(int{convert::read_exif_orientation(verdict.reencoded)} == 6);
    BOOST_TEST((read_picture_metadata(verdict.reencoded) == PictureMetadata{}));
  }
}

BOOST_AUTO_TEST_CASE(a_stripped_png_carries_nothing_but_colours) {
  const std::string told = "\x89PNG\r\n\x1a\n" + chunk("IHDR", std::string(13, '\0')) +
                           chunk("eXIf", tiff_with_tag(kGps)) + chunk("iCCP", "x") +
                           chunk("tEXt", "Author\0me"s) + chunk("iTXt", "XML:com.adobe.xmp\0"s) +
                           chunk("IEND", "");
  const auto stripped = convert::strip_png(std::as_bytes(std::span(told)));
  BOOST_REQUIRE(stripped.has_value());
  BOOST_TEST((read_picture_metadata(*stripped) == PictureMetadata{.has_colour_profile = true}));
}

BOOST_AUTO_TEST_CASE(chunks_of_a_png_are_told_apart) {
  const std::string head = "\x89PNG\r\n\x1a\n" + chunk("IHDR", std::string(13, '\0'));
  BOOST_TEST((read(head + chunk("IEND", "")) == PictureMetadata{}));
  BOOST_TEST((read(head + chunk("eXIf", tiff_with_tag(kGps)) + chunk("iCCP", "x") +
                   chunk("tEXt", "Author\0me"s) + chunk("iTXt", "XML:com.adobe.xmp\0"s)) ==
              PictureMetadata{.has_exif = true,
                              .has_gps = true,
                              .has_xmp = true,
                              .has_colour_profile = true,
                              .has_text = true}));
  BOOST_TEST((read(head + chunk("IEND", "") + chunk("tEXt", "behind")) == PictureMetadata{}));
}

// Nothing to expect but that it ends and stays within the bytes, which asan watches.
BOOST_AUTO_TEST_CASE(any_bytes_are_taken) {
  const std::string whole = jpeg_with(segment(0xE1, "Exif\0\0"s + tiff_with_tag(kGps)));
  for (std::size_t size = 0; size < 80; ++size) {
    const PictureMetadata found = read(whole.substr(0, size));
    BOOST_TEST(found.has_gps == (size >= 2 + 4 + 6 + 26));  // SOI, segment's head, mark, TIFF
  }
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string bent = whole;
    for (int k = 0; k < 4; ++k) bent[random() % 60] = static_cast<char>(random());
    read(bent);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::care
