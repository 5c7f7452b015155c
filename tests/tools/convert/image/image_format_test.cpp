#include "tools/convert/image/image_format.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

namespace penstock::convert {
namespace {

using namespace std::string_literals;

ImageFormat format_of(const std::string& bytes) {
  return detect_format(std::as_bytes(std::span(bytes)));
}

std::optional<DeclaredSize> size_of(ImageFormat format, const std::string& bytes) {
  return read_declared_size(format, std::as_bytes(std::span(bytes)));
}

// Headers as their specifications lay them out, all 300 x 200 (0x12C x 0xC8).
const std::string kPng = "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\x01\x2C\0\0\0\xC8\x08\x02\0\0\0"s;
const std::string kBmp =
    "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x2C\x01\0\0\xC8\0\0\0\x01\0\x18\0"s;
const std::string kBmpTopDown =
    "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x2C\x01\0\0\x38\xFF\xFF\xFF\x01\0\x18\0"s;
const std::string kBmpCore = "BM\0\0\0\0\0\0\0\0\x1A\0\0\0\x0C\0\0\0\x2C\x01\xC8\0\x01\0\x18\0"s;
const std::string kTiff =
    "II*\0\x08\0\0\0\x02\0"s
    "\x00\x01\x03\0\x01\0\0\0\x2C\x01\0\0"s
    "\x01\x01\x04\0\x01\0\0\0\xC8\0\0\0"s;
const std::string kWebpLossy = "RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9D\x01\x2A\x2C\x01\xC8\0"s;
// 14 bits of width - 1 = 299, then 14 bits of height - 1 = 199: 299 + 199 * 2^14 = 0x0031C12B.
const std::string kWebpLossless = "RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2F\x2B\xC1\x31\x00"s;
const std::string kWebpExtended = "RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\x2B\x01\0\xC7\0\0"s;
const std::string kGif = "GIF89a\x2C\x01\xC8\0\0\0\0"s;
const std::string kNetpbm = "P6\n# made by hand 7\n300 200\n255\n"s;

BOOST_AUTO_TEST_SUITE(image_format)

BOOST_AUTO_TEST_CASE(the_first_bytes_decide) {
  const std::vector<std::pair<std::string, ImageFormat>> cases = {
      {"\xFF\xD8\xFF\xE0", ImageFormat::kJpeg},
      {kPng, ImageFormat::kPng},
      {kBmp, ImageFormat::kBmp},
      {kTiff, ImageFormat::kTiff},
      {"MM\0*\0\0\0\x08"s, ImageFormat::kTiff},
      {kWebpLossy, ImageFormat::kWebp},
      {kNetpbm, ImageFormat::kNetpbm},
      {"GIF89a\1\0", ImageFormat::kGif},
      {"\0\0\0\x18"s + "ftypheic", ImageFormat::kHeif},
      {"\0\0\0\x18"s + "ftypavif", ImageFormat::kAvif},
      {"\xFF\x0A\x00"s, ImageFormat::kJpegXl},
      {"\0\0\0\x0CjP  \r\n\x87\n"s, ImageFormat::kJpeg2000},
      {"<?xml version=\"1.0\"?>\n<svg>", ImageFormat::kSvg},
      {"%PDF-1.7", ImageFormat::kPdf},
      {"PK\x03\x04", ImageFormat::kZip},
      {"a,b\n1,2\n", ImageFormat::kText},
      {"BM is how this sentence starts", ImageFormat::kText},
      {"P6000 is no picture", ImageFormat::kText},
      {"\x01\x02\x03", ImageFormat::kUnknown},
      {"", ImageFormat::kUnknown},
  };
  for (const auto& [bytes, format] : cases) {
    BOOST_TEST(image_format_name(format_of(bytes)) == image_format_name(format));
  }
}

BOOST_AUTO_TEST_CASE(declared_sizes_are_read_from_headers) {
  const std::vector<std::string> all = {kPng,       kBmp,          kBmpTopDown,   kBmpCore, kTiff,
                                        kWebpLossy, kWebpLossless, kWebpExtended, kNetpbm,  kGif};
  for (const std::string& bytes : all) {
    const auto size = size_of(format_of(bytes), bytes);
    BOOST_REQUIRE(size.has_value());
    BOOST_TEST(size->width_px == 300u);
    BOOST_TEST(size->height_px == 200u);
  }
}

BOOST_AUTO_TEST_CASE(a_header_cut_short_has_no_size) {
  for (const std::string& bytes :
       {kPng.substr(0, 20), kBmp.substr(0, 24), kTiff.substr(0, 30), kWebpLossless.substr(0, 23),
        std::string("P6\n300 "), kGif.substr(0, 9)}) {
    BOOST_CHECK(!size_of(format_of(bytes), bytes));
  }
}

BOOST_AUTO_TEST_CASE(pixel_counts_saturate) {
  BOOST_TEST((DeclaredSize{300, 200}.num_px()) == 60000u);
  BOOST_TEST((DeclaredSize{1ull << 40, 1ull << 40}.num_px()) == UINT64_MAX);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
