#include "tools/convert/image/jpeg_strip.h"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>

#include <jpeglib.h>

#include "fixtures/jpeg_edit.h"
#include "fixtures/picture_bytes.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/image_check.h"

namespace penstock::convert {
namespace {

using fixtures::Bytes;
using fixtures::JpegMarker;
using namespace std::string_literals;

Bytes photograph(const fixtures::JpegOptions& options = {}, std::uint32_t channels = 3) {
  return fixtures::pattern_jpeg({.width_px = 91, .height_px = 61, .channels = channels, .seed = 5},
                                options);
}

Bytes with(const Bytes& jpeg, unsigned marker, const std::string& content) {
  return fixtures::with_segment(jpeg, static_cast<JpegMarker>(marker),
                                std::as_bytes(std::span(content)));
}

// libjpeg itself: pixels as it hands them out, and every coefficient.
struct Whole {
  std::vector<std::uint8_t> pixels;
  std::vector<JCOEF> coefficients;
  int colour_space = 0;
};

Whole decode(const Bytes& jpeg) {
  Whole whole;
  for (const bool takes_pixels : {true, false}) {
    jpeg_decompress_struct cinfo{};
    jpeg_error_mgr errors{};
    cinfo.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&cinfo);
    jpeg_mem_src(&cinfo, reinterpret_cast<const unsigned char*>(jpeg.data()), jpeg.size());
    jpeg_read_header(&cinfo, TRUE);
    whole.colour_space = cinfo.jpeg_color_space;
    if (takes_pixels) {
      jpeg_start_decompress(&cinfo);
      const std::size_t row_bytes = std::size_t{cinfo.output_width} * cinfo.output_components;
      whole.pixels.resize(row_bytes * cinfo.output_height);
      while (cinfo.output_scanline < cinfo.output_height) {
        JSAMPROW row = &whole.pixels[cinfo.output_scanline * row_bytes];
        jpeg_read_scanlines(&cinfo, &row, 1);
      }
    } else {
      jvirt_barray_ptr* const arrays = jpeg_read_coefficients(&cinfo);
      for (int c = 0; c < cinfo.num_components; ++c) {
        const auto& component = cinfo.comp_info[c];
        for (JDIMENSION row = 0; row < component.height_in_blocks; ++row) {
          JBLOCKROW blocks = *cinfo.mem->access_virt_barray(reinterpret_cast<j_common_ptr>(&cinfo),
                                                            arrays[c], row, 1, FALSE);
          whole.coefficients.insert(whole.coefficients.end(), blocks[0],
                                    blocks[0] + component.width_in_blocks * DCTSIZE2);
        }
      }
    }
    jpeg_finish_decompress(&cinfo);
    jpeg_destroy_decompress(&cinfo);
  }
  return whole;
}

void check_same_picture(const Bytes& before, const Bytes& after) {
  const Whole was = decode(before);
  const Whole is = decode(after);
  BOOST_TEST((was.pixels == is.pixels));
  BOOST_TEST((was.coefficients == is.coefficients));
  BOOST_TEST(was.colour_space == is.colour_space);
}

bool holds(const Bytes& bytes, const std::string& text) {
  const auto* const begin = reinterpret_cast<const char*>(bytes.data());
  return std::string(begin, bytes.size()).find(text) != std::string::npos;
}

// Everything between the scans' headers and the markers that end them (T.81, B.1.1.5), and what stands
// in the tables: whatever is no segment of an application and no comment.
Bytes coded(const Bytes& jpeg) {
  Bytes kept;
  std::size_t at = 2;
  while (at + 4 <= jpeg.size()) {
    const auto marker = std::to_integer<unsigned>(jpeg[at + 1]);
    if (marker == 0xD9) break;
    const std::size_t length = std::to_integer<std::size_t>(jpeg[at + 2]) * 256 +
                               std::to_integer<std::size_t>(jpeg[at + 3]);
    std::size_t end = at + 2 + length;
    if (marker == 0xDA) {
      while (jpeg[end] != std::byte{0xFF} || jpeg[end + 1] == std::byte{0} ||
             (std::to_integer<unsigned>(jpeg[end + 1]) & 0xF8) == 0xD0) {
        ++end;
      }
    }
    const bool is_metadata = marker == 0xFE || (marker >= 0xE0 && marker <= 0xEF);
    if (!is_metadata) {
      kept.insert(kept.end(), jpeg.begin() + static_cast<std::ptrdiff_t>(at),
                  jpeg.begin() + static_cast<std::ptrdiff_t>(end));
    }
    at = end;
  }
  return kept;
}

// Exif 3.0, 4.6.3: tag 34853 points to a directory of positions; 26 is behind this one.
std::string exif_with_gps(char orientation) {
  return "Exif\0\0II*\0\x08\0\0\0\x02\0"s + "\x12\x01\x03\0\x01\0\0\0"s + orientation + "\0\0\0"s +
         "\x25\x88\x04\0\x01\0\0\0\x26\0\0\0"s + "\0\0\0\0"s + "\0\0\0\0"s + "a place"s;
}

Bytes told_everything(const Bytes& plain) {
  Bytes jpeg = with(plain, 0xFE, "taken by me");
  jpeg = with(jpeg, 0xED, "Photoshop 3.0\0 8BIM city"s);
  jpeg = with(jpeg, 0xE1, "http://ns.adobe.com/xap/1.0/\0<x>author</x>"s);
  jpeg = with(jpeg, 0xE0, "JFXX\0\x10 a thumbnail"s);
  jpeg = with(jpeg, 0xE2, "MPF\0 more pictures"s);
  jpeg = with(jpeg, 0xE9, "a maker's own");
  jpeg = with(jpeg, 0xE2, "ICC_PROFILE\0\x01\x01 colours"s);
  return with(jpeg, 0xE1, exif_with_gps(6));
}

SourcePicture as_picture(const Bytes& jpeg) {
  SourcePicture picture;
  picture.bytes = jpeg;
  return picture;
}

BOOST_AUTO_TEST_SUITE(jpeg_strip)

BOOST_AUTO_TEST_CASE(what_tells_of_people_goes_and_colours_and_orientation_stay) {
  for (const bool is_progressive : {false, true}) {
    const Bytes plain = photograph({.is_progressive = is_progressive, .restart_rows = 1});
    Bytes jpeg = told_everything(plain);
    fixtures::append(jpeg, "a film behind the picture");
    const auto stripped = strip_jpeg(jpeg);
    BOOST_REQUIRE(stripped.has_value());
    for (const char* const text : {"taken by me", "city", "author", "thumbnail", "a place",
                                   "more pictures", "a maker's own", "a film"}) {
      BOOST_TEST(!holds(*stripped, text), text);
    }
    BOOST_TEST(holds(*stripped, "colours"));
    BOOST_TEST(int{read_exif_orientation(*stripped)} == 6);
    BOOST_TEST((coded(*stripped) == coded(jpeg)));
    check_same_picture(jpeg, *stripped);
    BOOST_TEST(!strip_jpeg(*stripped).has_value());  // nothing is left to be taken out
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_tells_nothing_is_left_alone) {
  BOOST_TEST(!strip_jpeg(photograph()).has_value());
  BOOST_TEST(!strip_jpeg(photograph({.is_stored_as_rgb = true})).has_value());
  BOOST_TEST(!strip_jpeg(Bytes{}).has_value());
  BOOST_TEST(!strip_jpeg(fixtures::bytes_of("\xFF\xD8")).has_value());
}

// JFIF 1.02: one row of two pixels behind the sides of the thumbnail. Adobe's segment has 12 bytes.
BOOST_AUTO_TEST_CASE(the_segments_that_decide_about_colour_lose_what_they_carry_beside) {
  const std::string jfif = "JFIF\0\x01\x02\0\0\x48\0\x48\x02\x01rgbRGB"s;
  Bytes jpeg = fixtures::without_segments(photograph(), static_cast<JpegMarker>(0xE0));
  jpeg = with(jpeg, 0xE0, jfif);
  const auto stripped = strip_jpeg(jpeg);
  BOOST_REQUIRE(stripped.has_value());
  BOOST_TEST(holds(*stripped, "JFIF\0\x01\x02\0\0\x48\0\x48\0\0"s));
  BOOST_TEST(!holds(*stripped, "rgbRGB"));
  check_same_picture(jpeg, *stripped);

  // Red, green and blue by Adobe's transform 0: without its segment libjpeg would see YCbCr.
  Bytes rgb =
      fixtures::without_segments(photograph({.is_stored_as_rgb = true}), JpegMarker::kAdobe);
  rgb = with(rgb, 0xEE, "Adobe\0\x64\0\0\0\0\0 and more"s);
  const auto bare = strip_jpeg(rgb);
  BOOST_REQUIRE(bare.has_value());
  BOOST_TEST(!holds(*bare, "and more"));
  BOOST_TEST(decode(*bare).colour_space == int{JCS_RGB});
  check_same_picture(rgb, *bare);
}

BOOST_AUTO_TEST_CASE(segments_between_scans_and_bytes_between_segments_go_too) {
  const Bytes plain = photograph({.is_progressive = true});
  // Behind the first scan, before the marker that follows it.
  std::size_t at = fixtures::find_segment(plain, JpegMarker::kScan) + 2;
  while (plain[at] != std::byte{0xFF} || plain[at + 1] == std::byte{0}) ++at;
  Bytes jpeg(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(at));
  fixtures::append(jpeg, "\xFF\xFE\0\x08secret"s);
  jpeg.insert(jpeg.end(), plain.begin() + static_cast<std::ptrdiff_t>(at), plain.end());
  const auto stripped = strip_jpeg(jpeg);
  BOOST_REQUIRE(stripped.has_value());
  BOOST_TEST((*stripped == plain));

  const std::size_t table = fixtures::find_segment(plain, JpegMarker::kQuantisation);
  Bytes padded(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(table));
  fixtures::append(padded, "hidden");
  padded.insert(padded.end(), plain.begin() + static_cast<std::ptrdiff_t>(table), plain.end());
  BOOST_TEST((strip_jpeg(padded) == plain));
}

// Kinds of pictures that decode, with segments of any kind at any place of the header.
BOOST_AUTO_TEST_CASE(whatever_is_inserted_the_picture_stays_and_the_text_goes) {
  constexpr unsigned kSeed = 20261122;
  std::mt19937 random(kSeed);
  BOOST_TEST_MESSAGE("seed " << kSeed);
  for (int i = 0; i < 200; ++i) {
    const bool is_gray = random() % 4 == 0;
    Bytes jpeg = photograph({.quality = 60,
                             .is_progressive = random() % 2 == 0,
                             .restart_rows = static_cast<std::uint8_t>(random() % 2)},
                            is_gray ? 1 : 3);
    for (auto k = random() % 5; k > 0; --k) {
      // APP1 to APP13, APP15 or a comment: APP0 and APP14 would change what the picture is.
      const unsigned kinds[] = {0xFE, 0xEF, 0xE1 + static_cast<unsigned>(random() % 13)};
      std::string content = "secret";
      for (auto n = random() % 300; n > 0; --n) content += static_cast<char>(random());
      jpeg = with(jpeg, kinds[random() % 3], content);
    }
    BOOST_TEST_CONTEXT("seed " << kSeed << ", picture " << i) {
      const auto stripped = strip_jpeg(jpeg);
      const Bytes& after = stripped ? *stripped : jpeg;
      BOOST_REQUIRE(!holds(after, "secret"));
      BOOST_REQUIRE((coded(after) == coded(jpeg)));
      check_same_picture(jpeg, after);
    }
  }
}

// Nothing to expect but that it ends and stays within the bytes, which asan watches.
BOOST_AUTO_TEST_CASE(any_bytes_are_taken) {
  const Bytes whole = told_everything(photograph({.is_progressive = true}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto stripped = strip_jpeg(std::span(whole).first(size));
    if (stripped) BOOST_REQUIRE(stripped->size() <= size + 36);
  }
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    Bytes bent = whole;
    for (int k = 0; k < 4; ++k) bent[random() % bent.size()] = static_cast<std::byte>(random());
    const auto stripped = strip_jpeg(bent);
    if (stripped) BOOST_REQUIRE(stripped->size() <= bent.size() + 36);
  }
}

BOOST_AUTO_TEST_CASE(the_checker_strips_what_it_keeps_and_what_it_rewrites) {
  const Bytes jpeg = told_everything(photograph({.is_progressive = true}));
  for (const CheckDepth depth : {CheckDepth::kDecode, CheckDepth::kHeader}) {
    ImageChecker checker({.depth = depth, .strips_metadata = true});
    const ImageVerdict verdict = checker.check(jpeg, "a.jpg", {});
    BOOST_REQUIRE((verdict.fate == FileFate::kRewritten));
    BOOST_TEST((verdict.reencoded == *strip_jpeg(jpeg)));
    BOOST_TEST(verdict.record.length_bytes == verdict.reencoded.size());
    BOOST_TEST(verdict.stripped_bytes == jpeg.size() - verdict.reencoded.size());
    BOOST_TEST(int{verdict.record.orientation} == 6);
    BOOST_TEST(checker.checking_bytes(as_picture(jpeg)) >= verdict.reencoded.size());
    BOOST_TEST((checker.check(photograph(), "b.jpg", {}).fate == FileFate::kKept));
  }
  CheckSettings settings{.optimizes_crops = true, .strips_metadata = true};
  settings.fixes.policies.set(ReasonCode::kProgressive, Policy::kFix);
  const ImageVerdict verdict = ImageChecker(settings).check(jpeg, "a.jpg", {});
  BOOST_REQUIRE((verdict.fate == FileFate::kRewritten));
  BOOST_TEST(int{verdict.record.flags} == 0);
  BOOST_TEST(!holds(verdict.reencoded, "taken by me"));
  BOOST_TEST((decode(verdict.reencoded).pixels == decode(jpeg).pixels));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
