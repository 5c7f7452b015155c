// Pictures that are no JPEG, against OpenCV's readers: PNG, WebP and PNM of every kind that it reads
// rightly, and every file of the fixtures.
#include "tools/convert/image/foreign_image.h"

#include <boost/test/unit_test.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <variant>

#include "fixtures/bad_picture.h"
#include "fixtures/picture_bytes.h"
#include "fixtures/png_bytes.h"
#include "tests/tools/convert/image/opencv_picture.h"
#include "tools/convert/image/codec_versions.h"
#include "tools/convert/image/foreign_facts.h"
#include "tools/convert/image/image_format.h"

namespace penstock::convert {
namespace {

using fixtures::Bytes;
using fixtures::PngColour;
using tests::encoded_by_opencv;
using tests::read_by_opencv;

constexpr RgbColour kBackground{.red = 10, .green = 120, .blue = 250};

DecodedPixels decoded(std::span<const std::byte> file) {
  DecodeOutcome outcome = decode_foreign_image(file, kBackground);
  if (const auto* const why = std::get_if<std::string>(&outcome)) BOOST_FAIL(*why);
  return std::get<DecodedPixels>(std::move(outcome));
}

void check_as_opencv(std::span<const std::byte> file) {
  const auto expected = read_by_opencv(file, kBackground);
  BOOST_REQUIRE(expected.has_value());
  const DecodedPixels found = decoded(file);
  BOOST_TEST(found.width_px == expected->width_px);
  BOOST_TEST(found.height_px == expected->height_px);
  BOOST_TEST(found.channels == expected->channels);
  BOOST_TEST(found.had_alpha == expected->had_alpha);
  BOOST_TEST(found.had_16_bits == expected->had_16_bits);
  BOOST_CHECK(found.pixels_hwc == expected->pixels_hwc);
}

cv::Mat random_picture(int type, int seed) {
  cv::Mat image(23, 37, type);
  cv::RNG(static_cast<std::uint64_t>(seed)).fill(image, cv::RNG::UNIFORM, 0, 65536);
  return image;
}

BOOST_AUTO_TEST_SUITE(foreign_image)

BOOST_AUTO_TEST_CASE(png_of_every_depth_and_colour_has_the_pixels_that_opencv_reads) {
  const std::pair<PngColour, std::vector<int>> kinds[] = {{PngColour::kGray, {1, 2, 4, 8, 16}},
                                                          {PngColour::kRgb, {8, 16}},
                                                          {PngColour::kPalette, {1, 2, 4, 8}},
                                                          {PngColour::kGrayAlpha, {8, 16}},
                                                          {PngColour::kRgba, {8, 16}}};
  unsigned seed = 0;
  for (const auto& [colour, depths] : kinds) {
    for (const int depth : depths) {
      for (const bool is_interlaced : {false, true}) {
        BOOST_TEST_CONTEXT("colour " << static_cast<int>(colour) << ", " << depth << " bit") {
          check_as_opencv(fixtures::png_file(
              fixtures::pattern_png({.bit_depth = static_cast<std::uint8_t>(depth),
                                     .colour = colour,
                                     .is_interlaced = is_interlaced},
                                    ++seed)));
        }
      }
    }
  }
}

// PNG specification, 11.3.1.1: pixels of the value in tRNS are transparent. OpenCV passes over it.
BOOST_AUTO_TEST_CASE(gray_png_with_a_transparent_value_lies_on_the_background) {
  const Bytes transparent = {std::byte{0}, std::byte{77}};
  const DecodedPixels found = decoded(fixtures::png_file(
      {.width_px = 2, .height_px = 1, .colour = PngColour::kGray, .samples = {77, 78}},
      fixtures::png_chunk("tRNS", transparent)));
  BOOST_TEST(found.had_alpha);
  BOOST_TEST(found.pixels_hwc == std::vector<std::uint8_t>({10, 120, 250, 78, 78, 78}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(webp_has_the_pixels_that_opencv_reads) {
  constexpr int kLossless = 101;  // above 100, says OpenCV
  for (const int type : {CV_8UC3, CV_8UC4}) {
    for (const int quality : {10, 90, kLossless}) {
      check_as_opencv(encoded_by_opencv(".webp", random_picture(type, quality),
                                        {cv::IMWRITE_WEBP_QUALITY, quality}));
    }
  }
}

BOOST_AUTO_TEST_CASE(pnm_has_the_pixels_that_opencv_reads) {
  for (const int is_binary : {0, 1}) {
    const std::vector<int> how = {cv::IMWRITE_PXM_BINARY, is_binary};
    check_as_opencv(encoded_by_opencv(".pgm", random_picture(CV_8UC1, 1), how));
    check_as_opencv(encoded_by_opencv(".ppm", random_picture(CV_8UC3, 2), how));
    check_as_opencv(encoded_by_opencv(".pgm", random_picture(CV_16UC1, 3), how));
    check_as_opencv(encoded_by_opencv(".ppm", random_picture(CV_16UC3, 4), how));
  }
  cv::Mat bits = random_picture(CV_8UC1, 5) > 128;
  check_as_opencv(encoded_by_opencv(".pbm", bits, {cv::IMWRITE_PXM_BINARY, 1}));
}

// By pgm(5) and pbm(5), by hand: 7 of 15 is 119 of 255; a one is black.
BOOST_AUTO_TEST_CASE(pnm_is_scaled_from_its_own_maximum) {
  using Values = std::vector<std::uint8_t>;
  const auto pixels = [](std::string_view text) {
    return decoded(fixtures::bytes_of(text)).pixels_hwc;
  };
  BOOST_TEST(pixels("P2 # gray\n3 1\n# max\n15\n0 7 15\n") == Values({0, 119, 255}),
             boost::test_tools::per_element());
  BOOST_TEST(pixels("P5\n3 1\n15\n\x07\x0F\x0F") == Values({119, 255, 255}),
             boost::test_tools::per_element());
  BOOST_TEST(pixels("P1\n5 1\n01 1\n0 1") == Values({255, 0, 0, 255, 0}),
             boost::test_tools::per_element());
  for (const char* text : {"P2\n3 1\n0\n1 2 3\n", "P2\n3 1\n70000\n1 2 3\n", "P2\n3 1\n9\n1 2\n",
                           "P2\n3 1\n9\n1 x 2\n", "P5\n3 1\n9\n1", "P1\n2 1\n12\n"}) {
    BOOST_CHECK(std::holds_alternative<std::string>(
        decode_foreign_image(fixtures::bytes_of(text), kBackground)));
  }
}

// What the header says is refused is not tried; a file that is mended is read mended.
BOOST_AUTO_TEST_CASE(every_picture_of_the_fixtures_that_opencv_reads_is_read) {
  int num_read = 0;
  for (const fixtures::BadPicture& picture : fixtures::all_bad_pictures()) {
    const ImageFormat format = detect_format(picture.bytes);
    if (!is_foreign_format(format)) continue;
    const ForeignFacts facts = read_foreign_facts(format, picture.bytes);
    if (facts.fault || facts.size.num_px() > 1'000'000) continue;
    const std::span<const std::byte> file = facts.rebuilt.empty() ? picture.bytes : facts.rebuilt;
    BOOST_TEST_CONTEXT(picture.file_name()) {
      const auto expected = read_by_opencv(file, kBackground);
      if (!expected) continue;
      const DecodedPixels found = decoded(file);
      ++num_read;
      // OpenCV takes the alpha of a TIFF twice, and turns it; see tiff_picture_test.
      const bool is_comparable =
          format != ImageFormat::kTiff || (!found.had_alpha && facts.orientation == 1);
      BOOST_CHECK(!is_comparable || found.pixels_hwc == expected->pixels_hwc);
    }
  }
  BOOST_TEST(num_read > 60);
}

BOOST_AUTO_TEST_CASE(a_codec_has_a_name_and_a_version) {
  const std::string text = codec_versions_text();
  for (const char* name :
       {"libjpeg-turbo ", "libpng 1.", "libtiff 4.", "libwebp 1.", "giflib 5."}) {
    BOOST_TEST(text.find(name) != std::string::npos, text);
  }
  BOOST_TEST(text.find_first_of("\n(") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
