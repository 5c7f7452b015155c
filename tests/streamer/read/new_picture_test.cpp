#include "streamer/read/new_picture.h"

#include <boost/test/unit_test.hpp>

#include <opencv2/imgcodecs.hpp>

#include "streamer/core/error.h"
#include "tests/streamer/small_dataset.h"

namespace penstock {
namespace {

bool is(const Error& error, ErrorCode code, const std::string& text) {
  BOOST_TEST(std::string(error.what()).find(text) != std::string::npos, error.what());
  return error.code() == code;
}

BOOST_AUTO_TEST_SUITE(new_picture)

// What the picture was made with is what the index must say.
BOOST_AUTO_TEST_CASE(a_jpegs_record_is_found_in_its_bytes) {
  const auto made = tests::jpeg_sample(
      100, 60, 3, {.subsampling = fixtures::ChromaSubsampling::k422, .is_progressive = true});
  const NewSample sample =
      new_jpeg(made.encoded, {.class_idx = 1, .name = "a.jpg", .orientation = 6});
  BOOST_TEST(sample.record.width_px == 100u);
  BOOST_TEST(sample.record.height_px == 60u);
  BOOST_TEST(sample.record.codec == static_cast<int>(Codec::kJpeg));
  BOOST_TEST(sample.record.flags == static_cast<int>(kFlagProgressive));
  BOOST_TEST(sample.record.components == 3);
  BOOST_TEST(sample.record.subsampling_x == 2);
  BOOST_TEST(sample.record.subsampling_y == 1);
  BOOST_TEST(sample.record.class_idx == 1u);
  BOOST_TEST(sample.record.orientation == 6);
  BOOST_TEST(sample.name == "a.jpg");
  BOOST_TEST(sample.encoded.data() == made.encoded.data());
  // 2 bytes a coefficient: 13 x 8 blocks of luma, 7 x 8 of each chroma.
  BOOST_TEST(sample.decode_scratch_bytes > (13 * 8 + 2 * 7 * 8) * 64 * 2);

  const auto gray = tests::jpeg_sample(9, 8, 4, {}, 1);
  BOOST_TEST(new_jpeg(gray.encoded, {}).record.components == 1);
  BOOST_TEST(new_jpeg(gray.encoded, {}).record.class_idx == kUnlabelled);
}

BOOST_AUTO_TEST_CASE(a_jpeg_that_does_not_decode_is_refused_with_the_reason) {
  const auto made = tests::jpeg_sample(100, 60, 3);
  const auto cut = std::span(made.encoded).first(made.encoded.size() / 2);
  BOOST_CHECK_EXCEPTION(new_jpeg(cut, {.name = "a.jpg"}), Error, [](const Error& error) {
    return is(error, ErrorCode::kCorruptData, "new picture: a.jpg: Premature end");
  });
  BOOST_CHECK_EXCEPTION(new_jpeg(std::vector<std::byte>(10), {}), Error, [](const Error& error) {
    return is(error, ErrorCode::kCorruptData, "new picture: (no name): Not a JPEG file");
  });
  BOOST_CHECK_EXCEPTION(new_jpeg({}, {}), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kCorruptData; });
  BOOST_CHECK_EXCEPTION(new_jpeg(made.encoded, {.max_bytes = 18000}), Error,
                        [](const Error& error) {
                          return is(error, ErrorCode::kOutOfMemory, "expected at most 17.6 KiB");
                        });
}

std::vector<std::byte> encoded_png(int width_px, int height_px) {
  const cv::Mat picture(height_px, width_px, CV_8UC3, cv::Scalar(10, 200, 30));
  std::vector<std::uint8_t> encoded;
  cv::imencode(".png", picture, encoded);
  const auto bytes = std::as_bytes(std::span(encoded));
  return {bytes.begin(), bytes.end()};
}

// All kinds of PNG on their way through a loader: png_decoder_test.cpp.
BOOST_AUTO_TEST_CASE(a_pngs_record_is_found_in_its_bytes) {
  const std::vector<std::byte> encoded = encoded_png(50, 40);
  const NewSample sample = new_png(encoded, {.class_idx = 1, .name = "a.png", .orientation = 3});
  BOOST_TEST(sample.record.width_px == 50u);
  BOOST_TEST(sample.record.height_px == 40u);
  BOOST_TEST(sample.record.codec == static_cast<int>(Codec::kPng));
  BOOST_TEST(sample.record.flags == 0);
  BOOST_TEST(sample.record.components == 3);
  BOOST_TEST(sample.record.class_idx == 1u);
  BOOST_TEST(sample.record.orientation == 3);
  BOOST_TEST(sample.name == "a.png");
  BOOST_TEST(sample.encoded.data() == encoded.data());
  BOOST_TEST(sample.decode_scratch_bytes > 32u << 10);  // zlib's window
}

// PNG specification, 5.2 and 11.2.1: the width is bytes 16 to 19.
BOOST_AUTO_TEST_CASE(a_png_that_does_not_decode_is_refused_with_the_reason) {
  const std::vector<std::byte> whole = encoded_png(50, 40);
  const auto refused = [](std::span<const std::byte> bytes, ErrorCode code,
                          const std::string& text) {
    BOOST_CHECK_EXCEPTION(new_png(bytes, {.name = "a.png"}), Error,
                          [&](const Error& error) { return is(error, code, text); });
  };
  for (const std::size_t size : {0u, 8u, 28u}) {
    refused(std::span(whole).first(size), ErrorCode::kCorruptData,
            "new picture: a.png: Not a PNG file");
  }
  refused(std::span(whole).first(whole.size() / 2), ErrorCode::kCorruptData, "cut short");
  refused(tests::jpeg_sample(9, 8, 1).encoded, ErrorCode::kCorruptData, "Not a PNG file");
  std::vector<std::byte> bent = whole;
  bent[19] ^= std::byte{1};
  refused(bent, ErrorCode::kCorruptData, "CRC");
  bent[16] = std::byte{0xFF};
  refused(bent, ErrorCode::kUnsupported, "expected sides of 1 to 65535 px, found 4278190131 x 40");
  BOOST_CHECK_EXCEPTION(new_png(whole, {.max_bytes = 1000}), Error,
                        [](const Error& error) { return error.code() == ErrorCode::kOutOfMemory; });
}

BOOST_AUTO_TEST_CASE(raw_pixels_are_described_by_their_view) {
  const auto pixels = tests::noisy_picture(5, 4, 1, 1);
  const NewSample sample = new_raw({pixels.data(), 5, 4, 1, 1, 5}, {.class_idx = 0});
  BOOST_TEST(sample.record.width_px == 5u);
  BOOST_TEST(sample.record.height_px == 4u);
  BOOST_TEST(sample.record.components == 1);
  BOOST_TEST(sample.record.codec == static_cast<int>(Codec::kRaw));
  BOOST_TEST(sample.encoded.size() == 20u);
  BOOST_CHECK_EXCEPTION(new_raw({pixels.data(), 1, 1, 3, 4, 4}, {}), Error, [](const Error& error) {
    return is(error, ErrorCode::kInvalidArgument, "without gaps");
  });
  BOOST_CHECK_EXCEPTION(new_raw({pixels.data(), 1, 1, 2, 2, 2}, {}), Error, [](const Error& error) {
    return is(error, ErrorCode::kInvalidArgument, "expected 1 or 3 channels");
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
