#include "tools/convert/image/png_strip.h"

#include <zlib.h>

#include <boost/test/unit_test.hpp>
#include <opencv2/imgcodecs.hpp>
#include <random>
#include <string>

#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/image/png_structure.h"

namespace penstock::convert {
namespace {

using namespace std::string_literals;
using Bytes = std::vector<std::byte>;

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

// By zlib's checksum.
std::string chunk(const std::string& kind, const std::string& data) {
  const std::string told = kind + data;
  const auto crc =
      crc32(0, reinterpret_cast<const Bytef*>(told.data()), static_cast<uInt>(told.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + told +
         big_endian(static_cast<std::uint32_t>(crc));
}

Bytes as_bytes(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string plain_picture() {
  cv::Mat image(11, 17, CV_8UC3);
  cv::RNG(5).fill(image, cv::RNG::UNIFORM, 0, 256);
  std::vector<std::uint8_t> file;
  BOOST_REQUIRE(cv::imencode(".png", image, file));
  return {file.begin(), file.end()};
}

// Behind IHDR, which is 25 bytes behind the signature (PNG specification, 11.2.1).
std::string with_chunks(std::string png, const std::string& chunks) {
  return png.insert(8 + 25, chunks);
}

// TIFF 6.0, section 2: "MM", one entry of tag 0x0112, a SHORT; then a maker's name.
std::string exif(char orientation) {
  return "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s + orientation + "\0\0\0\0\0\0a maker"s;
}

const std::string kColours =
    chunk("gAMA", big_endian(45455)) + chunk("sRGB", "\0"s) + chunk("sBIT", "\x08\x08\x08");

std::string told_everything(char orientation) {
  return with_chunks(plain_picture(),
                     chunk("tEXt", "Author\0me"s) + kColours + chunk("eXIf", exif(orientation)) +
                         chunk("iTXt", "XML:com.adobe.xmp\0\0\0\0\0<x>a place</x>"s) +
                         chunk("tIME", "\x07\xE9\x01\x02\x03\x04\x05"s) +
                         chunk("pHYs", big_endian(72) + big_endian(72) + "\x01"s) +
                         chunk("prVt", "a program's own")) +
         "a film behind the picture";
}

BOOST_AUTO_TEST_SUITE(png_strip)

BOOST_AUTO_TEST_CASE(what_tells_of_people_goes_and_colours_and_pixels_stay_byte_for_byte) {
  const Bytes stripped = strip_png(as_bytes(told_everything(1))).value();
  BOOST_CHECK(stripped == as_bytes(with_chunks(plain_picture(), kColours)));
  BOOST_TEST(!strip_png(stripped).has_value());  // nothing is left to be taken out
}

BOOST_AUTO_TEST_CASE(of_exif_an_orientation_alone_stays) {
  for (char orientation = 2; orientation <= 8; ++orientation) {
    const Bytes stripped = strip_png(as_bytes(told_everything(orientation))).value();
    const PngStructure png = read_png_structure(stripped);
    BOOST_TEST(int{read_tiff_orientation(png.exif)} == int{orientation});
    BOOST_TEST(is_orientation_alone(png.exif));
    const std::string alone = exif(orientation).substr(0, 26);
    BOOST_CHECK(stripped ==
                as_bytes(with_chunks(plain_picture(), kColours + chunk("eXIf", alone))));
    BOOST_TEST(!strip_png(stripped).has_value());
  }
}

// Nothing to expect but that it ends and stays within the bytes, which asan watches.
BOOST_AUTO_TEST_CASE(any_bytes_are_taken) {
  const std::string whole = told_everything(6);
  for (std::size_t size = 0; size < whole.size(); ++size)
    strip_png(as_bytes(whole.substr(0, size)));
  std::mt19937_64 random(7);
  for (int i = 0; i < 1000; ++i) {
    std::string bent = whole;
    for (int k = 0; k < 4; ++k) bent[random() % bent.size()] = static_cast<char>(random());
    const auto stripped = strip_png(as_bytes(bent));
    if (stripped) BOOST_TEST(stripped->size() <= bent.size());
  }
}

BOOST_AUTO_TEST_CASE(a_png_that_is_kept_is_stored_without_it) {
  CheckSettings settings{.encode = {.codec = CodecChoice::kPng}, .strips_metadata = true};
  const Bytes told = as_bytes(told_everything(6));
  const Bytes expected = strip_png(told).value();
  const ImageVerdict verdict = ImageChecker(settings).check(told, "a.png", {});
  BOOST_CHECK(verdict.fate == FileFate::kRewritten);
  BOOST_CHECK(verdict.reencoded == expected);
  BOOST_TEST(verdict.record.length_bytes == expected.size());
  BOOST_TEST(verdict.record.orientation == 6);
  BOOST_TEST(verdict.stripped_bytes == told.size() - expected.size());
  settings.strips_metadata = false;
  BOOST_CHECK(ImageChecker(settings).check(told, "a.png", {}).fate == FileFate::kKept);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
