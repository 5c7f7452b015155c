#include "tools/convert/image/header_look.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "fixtures/bad_picture.h"
#include "tests/tools/picture_folder.h"
#include "tools/convert/image/image_check.h"

namespace penstock::convert {
namespace {

using namespace std::string_literals;

constexpr std::uint64_t kMaxPx = 100'000'000;

HeaderLook look(std::span<const std::byte> start, std::uint64_t file_bytes,
                std::string_view path = "1.jpg", std::uint64_t max_px = kMaxPx) {
  JpegDecoder decoder;
  return look_at_header(start, file_bytes, path, max_px, decoder);
}

HeaderLook look(const std::string& file, std::string_view path = "1.jpg") {
  return look(std::as_bytes(std::span(file)), file.size(), path);
}

BOOST_AUTO_TEST_SUITE(header_look)

BOOST_AUTO_TEST_CASE(sides_are_read_of_the_start_alone) {
  const std::vector<std::byte> jpeg = tests::picture_jpeg({.width_px = 300, .height_px = 200});
  // The scan begins behind the tables, within 700 bytes of so plain a file.
  const HeaderLook found = look(std::span(jpeg).first(700), jpeg.size());
  BOOST_TEST_REQUIRE(jpeg.size() > 2000u);
  BOOST_CHECK(!found.reason);
  BOOST_CHECK((found.size == DeclaredSize{300, 200}));
}

BOOST_AUTO_TEST_CASE(a_header_that_goes_on_is_cut_and_one_that_ends_is_damaged) {
  const std::vector<std::byte> jpeg = tests::picture_jpeg({});
  BOOST_TEST(look(std::span(jpeg).first(100), jpeg.size()).is_cut);
  const HeaderLook whole = look(std::span(jpeg).first(100), 100);
  BOOST_TEST(!whole.is_cut);
  ImageChecker checker({.max_px = kMaxPx});
  BOOST_REQUIRE(whole.reason);
  BOOST_CHECK(*whole.reason == checker.check(std::span(jpeg).first(100), "1.jpg", {}).reason);
  // PNG: the signature alone.
  const std::string png = "\x89PNG\r\n\x1A\n";
  BOOST_TEST(look(std::as_bytes(std::span(png)), 5000).is_cut);
  BOOST_CHECK(look(png).reason == ReasonCode::kDamaged);
}

// The same verdict as of the check that decodes, where a header is enough for one.
BOOST_AUTO_TEST_CASE(reasons_are_those_of_the_check) {
  const std::string png = "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\x01\0\0\0\0\xFF\xFF\x08\x02\0\0\0"s;
  for (const auto& [file, path] :
       std::vector<std::pair<std::string, std::string>>{{"", "1.jpg"},
                                                        {"a failed download", "1.jpg"},
                                                        {"a readme", "readme"},
                                                        {"\x01\x02\x03\xFF"s, "1.jpg"},
                                                        {"GIF89a\x01\0\x01\0\0\0\0"s, "1.gif"},
                                                        {"GIF89a\x01\0\x01\0\0\0\0;"s, "1.gif"},
                                                        {"GIF89a\0\0\x01\0\0\0\0;"s, "1.gif"},
                                                        {"\xFF\x0A\xFA\x7F"s, "1.jxl"},
                                                        {"PK\x03\x04\0\0\0\0"s, "1.zip"},
                                                        {png, "1.png"}}) {
    BOOST_TEST_CONTEXT(path << " of " << file.size()) {
      ImageChecker checker({.max_px = kMaxPx});
      const ImageVerdict verdict = checker.check(std::as_bytes(std::span(file)), path, {});
      const HeaderLook found = look(file, path);
      BOOST_TEST(found.is_text == (verdict.fate == FileFate::kSkippedText));
      if (found.is_text) continue;
      BOOST_REQUIRE(found.reason);
      BOOST_CHECK(*found.reason == verdict.reason);
    }
  }
}

// A frame of no height; one that declares what its bytes cannot hold.
BOOST_AUTO_TEST_CASE(sides_that_cannot_be_are_those_of_the_check) {
  const auto with_height = [](unsigned height_px) {
    std::vector<std::byte> jpeg = tests::picture_jpeg({});
    const std::string text(reinterpret_cast<const char*>(jpeg.data()), jpeg.size());
    const std::size_t frame_at = text.find("\xFF\xC0");
    BOOST_TEST_REQUIRE(frame_at != std::string::npos);
    jpeg[frame_at + 5] = static_cast<std::byte>(height_px >> 8);
    jpeg[frame_at + 6] = static_cast<std::byte>(height_px);
    jpeg[frame_at + 7] = static_cast<std::byte>(9000 >> 8);
    jpeg[frame_at + 8] = static_cast<std::byte>(9000 & 0xFF);
    return jpeg;
  };
  ImageChecker checker({.max_px = kMaxPx});
  for (const auto& [height_px, reason] :
       {std::pair{0u, ReasonCode::kZeroSides}, std::pair{9000u, ReasonCode::kDecompressionBomb}}) {
    const std::vector<std::byte> jpeg = with_height(height_px);
    BOOST_CHECK(look(jpeg, jpeg.size()).reason == reason);
    BOOST_CHECK(checker.check(jpeg, "1.jpg", {}).reason == reason);
  }
  const std::string no_width = "P6 0 4 255\n";
  BOOST_CHECK(look(no_width, "1.ppm").reason == ReasonCode::kZeroSides);
  const std::string cut = "P6 40 40 255\n";
  BOOST_CHECK(look(cut, "1.ppm").reason == ReasonCode::kTruncated);
  BOOST_CHECK(checker.check(std::as_bytes(std::span(cut)), "1.ppm", {}).reason ==
              ReasonCode::kTruncated);
}

// Of a GIF all but its codes stands in headers.
BOOST_AUTO_TEST_CASE(what_a_gif_is_refused_for_is_seen_unless_it_lies_in_its_codes) {
  ImageChecker checker({.max_px = kMaxPx});
  int num_refused = 0;
  for (const fixtures::BadPicture& picture : fixtures::bad_gifs()) {
    BOOST_TEST_CONTEXT(picture.file_name()) {
      const HeaderLook found = look(picture.bytes, picture.bytes.size(), picture.file_name());
      const ImageVerdict verdict = checker.check(picture.bytes, picture.file_name(), {});
      const bool is_in_codes = picture.kind == "gif_cut" || picture.kind == "gif_early_end" ||
                               picture.kind == "gif_code";
      if (found.reason) BOOST_CHECK(*found.reason == verdict.reason);
      BOOST_CHECK(found.reason || is_in_codes || is_stored(verdict.fate));
      num_refused += found.reason ? 1 : 0;
    }
  }
  BOOST_TEST(num_refused >= 18);
}

BOOST_AUTO_TEST_CASE(too_many_pixels_and_too_many_bytes_are_refused) {
  const std::vector<std::byte> jpeg = tests::picture_jpeg({.width_px = 30, .height_px = 20});
  BOOST_CHECK(look(jpeg, jpeg.size(), "1.jpg", 599).reason == ReasonCode::kTooManyPixels);
  BOOST_CHECK(!look(jpeg, jpeg.size(), "1.jpg", 600).reason);
  BOOST_CHECK(look(jpeg, kMaxFileBytes + 1).reason == ReasonCode::kFileTooLarge);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
