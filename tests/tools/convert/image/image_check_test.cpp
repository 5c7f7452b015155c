#include "tools/convert/image/image_check.h"

#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>

#include "tests/tools/picture_folder.h"
#include "tools/convert/image/foreign_image.h"

namespace penstock::convert {
namespace {

using Bytes = std::vector<std::byte>;
using namespace std::string_view_literals;
constexpr std::uint64_t kMaxPx = 1'000'000;

ImageVerdict check(const Bytes& file, std::string_view path = "a/1.jpg",
                   std::uint64_t max_px = kMaxPx) {
  return ImageChecker({.max_px = max_px}).check(file, path, {});
}

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// What OpenCV writes; a second implementation of every format but JPEG.
Bytes encoded_by_opencv(const std::string& extension, const cv::Mat& image,
                        const std::vector<int>& parameters = {}) {
  std::vector<std::uint8_t> buffer;
  BOOST_REQUIRE(cv::imencode(extension, image, buffer, parameters));
  const auto* const begin = reinterpret_cast<const std::byte*>(buffer.data());
  return {begin, begin + buffer.size()};
}

// One colour all over, in OpenCV's order: blue, green, red.
cv::Mat plain(int type, const cv::Scalar& colour) {
  return {16, 24, type, colour};
}

bool all_pixels_near(const PixelSums& sums, const std::array<int, 3>& rgb, double tolerance) {
  for (std::size_t c = 0; c < 3; ++c) {
    if (std::abs(sums.mean()[c] * 255.0 - rgb[c]) > tolerance) return false;
  }
  return sums.num_px == 24 * 16;
}

enum class Inks { kAdobeInverted, kPlain };

// Four components, the same everywhere, as libjpeg writes them.
Bytes cmyk_jpeg(std::array<std::uint8_t, 4> ink, Inks inks) {
  jpeg_compress_struct cinfo{};
  jpeg_error_mgr errors{};
  cinfo.err = jpeg_std_error(&errors);
  jpeg_create_compress(&cinfo);
  unsigned char* buffer = nullptr;
  unsigned long num_bytes = 0;
  jpeg_mem_dest(&cinfo, &buffer, &num_bytes);
  cinfo.image_width = 24;
  cinfo.image_height = 16;
  cinfo.input_components = 4;
  cinfo.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&cinfo);
  jpeg_set_quality(&cinfo, 100, TRUE);
  cinfo.write_Adobe_marker = inks == Inks::kAdobeInverted ? TRUE : FALSE;
  jpeg_start_compress(&cinfo, TRUE);
  std::vector<std::uint8_t> row;
  for (int x = 0; x < 24; ++x) row.insert(row.end(), ink.begin(), ink.end());
  while (cinfo.next_scanline < cinfo.image_height) {
    JSAMPROW rows = row.data();
    jpeg_write_scanlines(&cinfo, &rows, 1);
  }
  jpeg_finish_compress(&cinfo);
  jpeg_destroy_compress(&cinfo);
  const auto* const begin = reinterpret_cast<const std::byte*>(buffer);
  Bytes bytes(begin, begin + num_bytes);
  std::free(buffer);
  return bytes;
}

BOOST_AUTO_TEST_SUITE(image_check)

BOOST_AUTO_TEST_CASE(a_jpeg_is_kept_with_what_its_header_says) {
  tests::PictureOptions options;
  options.jpeg.subsampling = fixtures::ChromaSubsampling::k420;
  const Bytes file = tests::picture_jpeg(options);
  const ImageVerdict verdict = check(file);
  BOOST_REQUIRE(verdict.fate == FileFate::kKept);
  BOOST_TEST(verdict.record.width_px == 24u);
  BOOST_TEST(verdict.record.height_px == 16u);
  BOOST_TEST(verdict.record.length_bytes == file.size());
  BOOST_TEST(verdict.record.components == 3u);
  BOOST_TEST(verdict.record.subsampling_x == 2u);
  BOOST_TEST(verdict.record.subsampling_y == 2u);
  BOOST_TEST(verdict.record.flags == 0u);
  BOOST_TEST(verdict.record.orientation == 1u);
  BOOST_TEST(verdict.sums.num_px == 24u * 16u);
  BOOST_TEST(verdict.decode_scratch_bytes > 0u);
}

BOOST_AUTO_TEST_CASE(progressive_and_gray_are_noted) {
  tests::PictureOptions options;
  options.channels = 1;
  options.jpeg.is_progressive = true;
  const ImageVerdict verdict = check(tests::picture_jpeg(options));
  BOOST_REQUIRE(verdict.fate == FileFate::kKept);
  BOOST_TEST(verdict.record.components == 1u);
  BOOST_TEST(verdict.record.flags == kFlagProgressive);
  BOOST_TEST(verdict.sums.sum[0] == verdict.sums.sum[2]);
}

BOOST_AUTO_TEST_CASE(a_jpeg_cut_short_is_quarantined_wherever_it_is_cut) {
  // Large enough for most of it to be picture data.
  const Bytes whole = tests::picture_jpeg({.width_px = 160, .height_px = 160});
  const auto check_first = [&](std::size_t length) {
    return check(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)));
  };
  for (const std::size_t length : {whole.size() / 2, whole.size() - 2, whole.size() - 20}) {
    const ImageVerdict verdict = check_first(length);
    BOOST_CHECK(verdict.fate == FileFate::kQuarantined);
    BOOST_CHECK(verdict.reason == ReasonCode::kTruncated);
    BOOST_TEST(verdict.detail == "Premature end of JPEG file");
  }
  for (std::size_t length = 1; length < 700; length += 37) {
    BOOST_CHECK(check_first(length).fate == FileFate::kQuarantined);
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_jpeg_does_not_spoil_the_next) {
  const Bytes whole = tests::picture_jpeg({});
  ImageChecker checker({.max_px = kMaxPx});
  const ImageVerdict before = checker.check(whole, "a", {});
  const Bytes half(whole.begin(), whole.begin() + static_cast<long>(whole.size() / 2));
  BOOST_CHECK(checker.check(half, "a", {}).fate == FileFate::kQuarantined);
  const ImageVerdict after = checker.check(whole, "a", {});
  BOOST_CHECK(after.fate == FileFate::kKept);
  BOOST_CHECK(after.sums == before.sums);
}

BOOST_AUTO_TEST_CASE(the_name_does_not_decide) {
  BOOST_CHECK(check(tests::picture_jpeg({}), "a/1.png").fate == FileFate::kKept);
  BOOST_CHECK(check(encoded_by_opencv(".png", plain(CV_8UC3, {})), "a/1.jpg").fate ==
              FileFate::kReencoded);
}

BOOST_AUTO_TEST_CASE(what_is_no_picture_has_its_reason) {
  const auto reason = [](const Bytes& file) {
    const ImageVerdict verdict = check(file);
    BOOST_REQUIRE(verdict.fate == FileFate::kQuarantined);
    return std::string(reason_code_name(verdict.reason));
  };
  BOOST_TEST(reason({}) == "empty_file");
  BOOST_TEST(reason(bytes_of("<html>not found</html>")) == "not_a_picture");
  BOOST_TEST(reason(bytes_of("\x01\x02\x03")) == "not_a_picture");
  BOOST_TEST(reason(bytes_of("\xFF\x0A\xFA\x7F")) == "unsupported_format");
  BOOST_TEST(reason(bytes_of("\xFF\xD8\xFF\xE0")) != "not_a_picture");
}

BOOST_AUTO_TEST_CASE(text_that_does_not_pretend_is_left_out) {
  BOOST_CHECK(check(bytes_of("read me"), "a/README").fate == FileFate::kSkippedText);
  BOOST_CHECK(check(bytes_of("read me"), "a/1.JPG").fate == FileFate::kQuarantined);
}

BOOST_AUTO_TEST_CASE(pictures_above_the_limit_are_refused_by_their_header) {
  const ImageVerdict jpeg = check(tests::picture_jpeg({}), "a", 24 * 16 - 1);
  BOOST_CHECK(jpeg.reason == ReasonCode::kTooManyPixels);
  BOOST_TEST(jpeg.detail == "24 x 16");
  BOOST_CHECK(check(tests::picture_jpeg({}), "a", 24 * 16).fate == FileFate::kKept);
  // A PNG that declares 65500 x 65500 and holds nothing: no pixel of it may be allocated.
  const std::string_view head(
      "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\xFF\xDC\0\0\xFF\xDC\x08\x02\0\0\0", 29);
  BOOST_CHECK(check(bytes_of(head), "a", 100'000'000).reason == ReasonCode::kTooManyPixels);
}

// Half a picture has a whole header. Whoever asks for no more than that decodes it next.
BOOST_AUTO_TEST_CASE(with_the_header_alone_a_jpeg_is_not_decoded) {
  const Bytes whole = tests::picture_jpeg({.width_px = 160, .height_px = 160});
  const Bytes half(whole.begin(), whole.begin() + static_cast<long>(whole.size() / 2));
  ImageChecker checker({.max_px = kMaxPx, .depth = CheckDepth::kHeader});
  const ImageVerdict verdict = checker.check(half, "a/1.jpg", {});
  BOOST_CHECK(verdict.fate == FileFate::kKept);
  BOOST_TEST(verdict.record.width_px == 160u);
  BOOST_TEST(verdict.sums.num_px == 0u);
  const Bytes png = encoded_by_opencv(".png", plain(CV_8UC3, {9, 90, 200}));
  BOOST_CHECK(checker.check(png, "a/1.png", {}).reencoded == check(png).reencoded);
}

BOOST_AUTO_TEST_CASE(re_encoding_is_priced_by_the_pixels_that_a_header_declares) {
  ImageChecker checker({.max_px = kMaxPx});
  const std::uint64_t price =
      checker.reencoding_bytes(encoded_by_opencv(".png", plain(CV_16UC4, {1, 2, 3, 4})));
  // At least four channels of 16 bits and the RGB made of them.
  BOOST_TEST(price >= 24u * 16u * 11u);
  BOOST_TEST(checker.reencoding_bytes(cmyk_jpeg({1, 2, 3, 4}, Inks::kPlain)) == price);
  BOOST_TEST(checker.reencoding_bytes(tests::picture_jpeg({})) == 0u);
  BOOST_TEST(checker.reencoding_bytes(bytes_of("text")) == 0u);
  BOOST_TEST(checker.reencoding_bytes({}) == 0u);
  // What is refused takes nothing: kMaxPx pixels and one more row.
  BOOST_TEST(checker.reencoding_bytes(bytes_of("P5\n1000 1001\n255\n")) == 0u);
  BOOST_TEST(checker.reencoding_bytes(bytes_of("P5\n1000 1000\n255\n")) > 0u);
}

BOOST_AUTO_TEST_CASE(other_formats_become_jpeg_without_subsampling) {
  const cv::Mat image = plain(CV_8UC3, {200, 100, 50});
  for (const char* extension : {".png", ".bmp", ".tiff", ".webp", ".ppm"}) {
    BOOST_TEST_CONTEXT(extension) {
      const ImageVerdict verdict = check(encoded_by_opencv(extension, image));
      BOOST_REQUIRE(verdict.fate == FileFate::kReencoded);
      BOOST_TEST(verdict.record.length_bytes == verdict.reencoded.size());
      BOOST_TEST(verdict.record.subsampling_x == 1u);
      BOOST_TEST(verdict.record.subsampling_y == 1u);
      // Lossy WebP and quality 95 stay within a few levels on a plain colour.
      BOOST_TEST(all_pixels_near(verdict.sums, {50, 100, 200}, 4.0));
    }
  }
}

BOOST_AUTO_TEST_CASE(gray_stays_gray_and_16_bit_become_8) {
  const ImageVerdict gray = check(encoded_by_opencv(".png", plain(CV_8UC1, {77})));
  BOOST_REQUIRE(gray.fate == FileFate::kReencoded);
  BOOST_TEST(gray.record.components == 1u);
  BOOST_TEST(all_pixels_near(gray.sums, {77, 77, 77}, 1.0));
  const ImageVerdict deep =
      check(encoded_by_opencv(".png", plain(CV_16UC3, {200 * 257, 100 * 257, 50 * 257})));
  BOOST_REQUIRE(deep.fate == FileFate::kReencoded);
  BOOST_TEST(all_pixels_near(deep.sums, {50, 100, 200}, 2.0));
}

BOOST_AUTO_TEST_CASE(transparency_lies_on_white) {
  const ImageVerdict clear = check(encoded_by_opencv(".png", plain(CV_8UC4, {10, 20, 30, 0})));
  BOOST_TEST(all_pixels_near(clear.sums, {255, 255, 255}, 1.0));
  // Alpha 51 is 0.2: 0.2 * 0 + 0.8 * 255 = 204.
  const ImageVerdict faint = check(encoded_by_opencv(".png", plain(CV_8UC4, {0, 0, 0, 51})));
  BOOST_TEST(all_pixels_near(faint.sums, {204, 204, 204}, 1.0));
}

BOOST_AUTO_TEST_CASE(a_png_cut_short_is_quarantined) {
  const Bytes whole = encoded_by_opencv(".png", plain(CV_8UC3, {1, 2, 3}));
  const ImageVerdict verdict = check(Bytes(whole.begin(), whole.begin() + 50));
  BOOST_CHECK(verdict.fate == FileFate::kQuarantined);
  BOOST_CHECK(verdict.reason == ReasonCode::kTruncated);
}

BOOST_AUTO_TEST_CASE(samples_in_floating_point_are_quarantined) {
  const ImageVerdict verdict = check(encoded_by_opencv(".tiff", plain(CV_32FC3, {0.1, 0.2, 0.3})));
  BOOST_CHECK(verdict.fate == FileFate::kQuarantined);
}

// Adobe stores 255 minus the ink: all 255 is white paper. Full cyan leaves green and blue.
BOOST_AUTO_TEST_CASE(four_inks_become_rgb_whichever_way_they_are_stored) {
  const ImageVerdict white = check(cmyk_jpeg({255, 255, 255, 255}, Inks::kAdobeInverted));
  BOOST_REQUIRE(white.fate == FileFate::kReencoded);
  BOOST_TEST(all_pixels_near(white.sums, {255, 255, 255}, 2.0));
  const ImageVerdict cyan = check(cmyk_jpeg({0, 255, 255, 255}, Inks::kAdobeInverted));
  BOOST_TEST(all_pixels_near(cyan.sums, {0, 255, 255}, 3.0));
  const ImageVerdict plain_white = check(cmyk_jpeg({0, 0, 0, 0}, Inks::kPlain));
  BOOST_TEST(all_pixels_near(plain_white.sums, {255, 255, 255}, 2.0));
  const ImageVerdict black = check(cmyk_jpeg({0, 0, 0, 255}, Inks::kPlain));
  BOOST_TEST(all_pixels_near(black.sums, {0, 0, 0}, 2.0));
}

// Nothing of the picture is missing: the loader's decoder lets the same pass.
BOOST_AUTO_TEST_CASE(stray_bytes_between_segments_do_not_spoil_four_inks_nor_three_colours) {
  const auto with_stray_bytes = [](Bytes jpeg) {
    // After the start marker stands a segment: FF, its kind, its length in two bytes.
    const std::size_t end =
        4 + std::to_integer<std::size_t>(jpeg[4]) * 256 + std::to_integer<std::size_t>(jpeg[5]);
    jpeg.insert(jpeg.begin() + static_cast<std::ptrdiff_t>(end), 3, std::byte{0});
    return jpeg;
  };
  BOOST_CHECK(check(with_stray_bytes(tests::picture_jpeg({}))).fate == FileFate::kKept);
  const ImageVerdict inks =
      check(with_stray_bytes(cmyk_jpeg({255, 255, 255, 255}, Inks::kAdobeInverted)));
  BOOST_TEST(inks.detail == "");
  BOOST_REQUIRE(inks.fate == FileFate::kReencoded);
  BOOST_TEST(all_pixels_near(inks.sums, {255, 255, 255}, 2.0));
}

// ITU-T T.81, B.2.3: of a sequential scan Se is 63; libjpeg warns of another and does not use it.
BOOST_AUTO_TEST_CASE(a_scan_header_of_no_consequence_does_not_spoil_four_inks) {
  Bytes jpeg = cmyk_jpeg({255, 255, 255, 255}, Inks::kAdobeInverted);
  const Bytes scan_of_four = bytes_of("\xFF\xDA\x00\x0E\x04"sv);
  const auto scan = std::search(jpeg.begin(), jpeg.end(), scan_of_four.begin(), scan_of_four.end());
  BOOST_REQUIRE(scan != jpeg.end());
  std::byte& se = *(scan + 5 + 2 * 4 + 1);
  BOOST_REQUIRE(se == std::byte{63});
  se = std::byte{62};
  const ImageVerdict verdict = check(jpeg);
  BOOST_TEST(verdict.detail == "");
  BOOST_CHECK(verdict.fate == FileFate::kReencoded);
}

BOOST_AUTO_TEST_CASE(four_inks_cut_short_are_truncated) {
  const Bytes whole = cmyk_jpeg({0, 255, 255, 255}, Inks::kAdobeInverted);
  const ImageVerdict verdict = check(Bytes(whole.begin(), whole.end() - 4));
  BOOST_CHECK(verdict.fate == FileFate::kQuarantined);
  BOOST_TEST(reason_code_name(verdict.reason) == "truncated");
  BOOST_TEST(verdict.detail == "Premature end of JPEG file");
}

BOOST_AUTO_TEST_CASE(re_encoding_gives_the_same_bytes_every_time) {
  const Bytes png = encoded_by_opencv(".png", plain(CV_8UC3, {9, 90, 200}));
  BOOST_CHECK(check(png).reencoded == check(png).reencoded);
}

BOOST_AUTO_TEST_CASE(bare_pixels_are_kept_as_they_are) {
  SourcePicture picture;
  picture.raw = RawShape{.height_px = 2, .width_px = 3, .channels = 3};
  for (int i = 0; i < 18; ++i) picture.bytes.push_back(static_cast<std::byte>(10 * i));
  ImageChecker checker({.max_px = 100});
  const ImageVerdict verdict = checker.check(picture, "row 7", {});
  BOOST_CHECK(verdict.fate == FileFate::kKept);
  BOOST_CHECK(static_cast<Codec>(verdict.record.codec) == Codec::kRaw);
  BOOST_TEST(verdict.record.width_px == 3u);
  BOOST_TEST(verdict.record.height_px == 2u);
  BOOST_TEST(verdict.record.length_bytes == 18u);
  BOOST_TEST(verdict.sums.num_px == 6u);
  BOOST_TEST(verdict.sums.sum[0] == 0u + 30 + 60 + 90 + 120 + 150);
}

BOOST_AUTO_TEST_CASE(an_orientation_that_the_source_knows_goes_into_the_index) {
  SourcePicture picture;
  picture.raw = RawShape{.height_px = 1, .width_px = 1, .channels = 1};
  picture.bytes.resize(1);
  picture.orientation = 6;
  ImageChecker checker({.max_px = 100});
  BOOST_TEST(checker.check(picture, "a", {}).record.orientation == 6);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
