#include "tools/convert/image/sample_check.h"

#include <boost/test/unit_test.hpp>
#include <opencv2/imgcodecs.hpp>

#include "tests/tools/picture_folder.h"

namespace penstock::convert {
namespace {

SourcePicture stored(std::vector<std::byte> bytes, Codec codec) {
  SourcePicture picture;
  picture.bytes = std::move(bytes);
  picture.codec = codec;
  picture.orientation = 6;
  return picture;
}

std::vector<std::byte> gray_png() {
  const cv::Mat image(3, 5, CV_8UC1, cv::Scalar(51));  // 51 / 255 is 0.2
  std::vector<std::uint8_t> file;
  cv::imencode(".png", image, file);
  const auto bytes = std::as_bytes(std::span(file));
  return {bytes.begin(), bytes.end()};
}

BOOST_AUTO_TEST_SUITE(sample_check)

BOOST_AUTO_TEST_CASE(a_png_stays_one_and_is_summed) {
  SampleCheck checker(1000);
  const ImageVerdict verdict = checker.check(stored(gray_png(), Codec::kPng), {});
  BOOST_TEST((verdict.fate == FileFate::kKept));
  BOOST_TEST(verdict.record.codec == 2);  // FORMAT.md, section 4
  BOOST_TEST(verdict.record.orientation == 6);
  BOOST_TEST(verdict.record.width_px == 5u);
  BOOST_TEST(verdict.record.height_px == 3u);
  BOOST_TEST(verdict.record.components == 1);
  BOOST_TEST(verdict.record.length_bytes == gray_png().size());
  BOOST_TEST(verdict.sums.num_px == 15u);
  BOOST_TEST(verdict.reasons.has(ReasonCode::kGrayscale));
  BOOST_TEST(verdict.sums.mean()[2] == 0.2, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(a_jpeg_and_as_many_pixels_as_said_are_ordinary) {
  BOOST_TEST(is_ordinary_sample(stored(tests::picture_jpeg({}), Codec::kJpeg)));
  BOOST_TEST(!is_ordinary_sample(stored(gray_png(), Codec::kJpeg)));
  BOOST_TEST(!is_ordinary_sample(stored(gray_png(), Codec::kPng)));
  SourcePicture raw = stored(std::vector<std::byte>(24, std::byte{255}), Codec::kRaw);
  BOOST_TEST(!is_ordinary_sample(raw));
  raw.raw = RawShape{.height_px = 2, .width_px = 4, .channels = 3};
  BOOST_TEST(is_ordinary_sample(raw));
  raw.bytes.pop_back();
  BOOST_TEST(!is_ordinary_sample(raw));
  SourcePicture file;  // of no dataset
  BOOST_TEST(is_ordinary_sample(file));
}

BOOST_AUTO_TEST_CASE(what_does_not_decode_is_quarantined_with_its_reason) {
  const auto reason = [&](std::vector<std::byte> bytes, Codec codec, std::uint64_t max_px = 15) {
    SampleCheck checker(max_px);
    const ImageVerdict verdict = checker.check(stored(std::move(bytes), codec), {});
    BOOST_TEST((verdict.fate == FileFate::kQuarantined));
    BOOST_TEST(verdict.reasons.has(verdict.reason));
    return reason_code_name(verdict.reason);
  };
  BOOST_TEST(reason(gray_png(), Codec::kPng, 14) == "too_many_pixels");  // 5 x 3
  std::vector<std::byte> png = gray_png();
  png.resize(png.size() - 20);
  BOOST_TEST(reason(png, Codec::kPng) == "damaged");
  BOOST_TEST(reason(gray_png(), Codec::kJpeg) == "damaged");
  BOOST_TEST(reason(std::vector<std::byte>(23), Codec::kRaw) == "damaged");
  BOOST_TEST(reason(gray_png(), static_cast<Codec>(9)) == "unsupported_format");
}

BOOST_AUTO_TEST_CASE(a_png_has_its_price_only_where_it_is_decoded) {
  const SourcePicture png = stored(gray_png(), Codec::kPng);
  BOOST_TEST(SampleCheck(15).checking_bytes(png) >= 15u * 3);  // its pixels as RGB
  BOOST_TEST(SampleCheck(14).checking_bytes(png) == 0u);
  SampleCheck trusting(15, CheckDepth::kHeader);
  BOOST_TEST(trusting.checking_bytes(png) == 0u);
  const ImageVerdict verdict = trusting.check(png, {});
  BOOST_TEST((verdict.fate == FileFate::kKept));
  BOOST_TEST(verdict.sums.num_px == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
