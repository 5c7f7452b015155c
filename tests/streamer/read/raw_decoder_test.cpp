#include "streamer/read/raw_decoder.h"

#include <boost/test/unit_test.hpp>
#include <vector>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(raw_decoder)

std::vector<std::byte> bytes_of(const std::vector<std::uint8_t>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

Result<DecodedView> decode(const std::vector<std::byte>& encoded, const StoredInfo& info,
                           std::uint32_t channels, std::vector<std::byte>& pixels) {
  RawDecoder decoder;
  const DecodeRequest request{
      .region = {0, 0, info.width_px, info.height_px}, .decode_scale = 1, .channels = channels};
  pixels.resize(raw_decode_price(info, request).decoded_bytes);
  return decoder.decode(encoded, info, request, pixels, {}, {});
}

BOOST_AUTO_TEST_CASE(pixels_come_out_as_they_were_stored) {
  const auto stored = bytes_of({1, 2, 3, 4, 5, 6});
  std::vector<std::byte> pixels;
  const auto result = decode(
      stored, {.length_bytes = 6, .width_px = 2, .height_px = 1, .components = 3}, 3, pixels);
  BOOST_TEST(result.ok());
  BOOST_TEST((pixels == stored));
}

// ITU-R BT.601: Y = 0.299 R + 0.587 G + 0.114 B; by hand for the primaries and white.
BOOST_AUTO_TEST_CASE(rgb_becomes_gray_by_its_luma_and_gray_becomes_rgb) {
  std::vector<std::byte> pixels;
  const auto rgb = bytes_of({255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255});
  BOOST_TEST(
      decode(rgb, {.length_bytes = 12, .width_px = 4, .height_px = 1, .components = 3}, 1, pixels)
          .ok());
  BOOST_TEST((pixels == bytes_of({76, 150, 29, 255})));
  const auto gray = bytes_of({9, 200});
  BOOST_TEST(
      decode(gray, {.length_bytes = 2, .width_px = 1, .height_px = 2, .components = 1}, 3, pixels)
          .ok());
  BOOST_TEST((pixels == bytes_of({9, 9, 9, 200, 200, 200})));
}

BOOST_AUTO_TEST_CASE(a_region_is_cut_out_and_alone_is_priced) {
  std::vector<std::uint8_t> values(5 * 4 * 3);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i);
  const auto stored = bytes_of(values);
  const StoredInfo info{.length_bytes = 60, .width_px = 5, .height_px = 4, .components = 3};
  const DecodeRequest request{.region = {3, 1, 2, 2}};
  std::vector<std::byte> pixels(raw_decode_price(info, request).decoded_bytes);
  BOOST_TEST(pixels.size() == 2u * 2 * 3);
  const auto result = RawDecoder().decode(stored, info, request, pixels, {}, {});
  BOOST_TEST((result.value().region == RectPx{3, 1, 2, 2}));
  // Pixel (x, y) is bytes 15 y + 3 x and the two after it.
  BOOST_TEST((pixels == bytes_of({24, 25, 26, 27, 28, 29, 39, 40, 41, 42, 43, 44})));
  BOOST_TEST(RawDecoder()
                 .decode(stored, info, {.region = {5, 0, 1, 1}}, pixels, {}, {})
                 .fault()
                 .detail() == "raw sample: region lies outside the picture");
}

BOOST_AUTO_TEST_CASE(a_length_that_contradicts_the_sides_is_a_fault) {
  std::vector<std::byte> pixels;
  const auto five = bytes_of({1, 2, 3, 4, 5});
  BOOST_TEST(
      !decode(five, {.length_bytes = 5, .width_px = 2, .height_px = 1, .components = 3}, 3, pixels)
           .ok());
  const auto four = bytes_of({1, 2, 3, 4});
  BOOST_TEST(
      !decode(four, {.length_bytes = 4, .width_px = 2, .height_px = 1, .components = 2}, 3, pixels)
           .ok());
}

BOOST_AUTO_TEST_CASE(a_coarser_scale_is_refused_by_name) {
  const auto stored = bytes_of({1, 2, 3, 4, 5, 6});
  std::vector<std::byte> pixels(6);
  const auto result =
      RawDecoder().decode(stored, {.length_bytes = 6, .width_px = 2, .height_px = 1},
                          {.region = {0, 0, 2, 1}, .decode_scale = 2}, pixels, {}, {});
  BOOST_TEST(result.fault().detail() == "raw sample: expected decode scale 1, found a coarser one");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
