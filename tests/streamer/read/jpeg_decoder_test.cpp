#include "streamer/read/jpeg_decoder.h"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstring>

#include <jpeglib.h>

#include "tests/streamer/small_dataset.h"

namespace penstock {
namespace {

using fixtures::ChromaSubsampling;
using fixtures::JpegOptions;

struct Decoded {
  Result<DecodedView> result = SampleFault();
  std::vector<std::byte> pixels;
  std::size_t scratch_bytes = 0;
  std::size_t scratch_price_bytes = 0;
};

Decoded decode(const tests::SmallSample& sample, std::uint32_t scale, std::uint32_t channels = 3,
               JpegDecoder* reused = nullptr) {
  JpegDecoder fresh;
  JpegDecoder& decoder = reused != nullptr ? *reused : fresh;
  const StoredInfo info = stored_info(sample.record);
  const DecodeRequest request{
      .region = {0, 0, info.width_px, info.height_px}, .decode_scale = scale, .channels = channels};
  const DecodePrice price = decoder.price(info, request);
  Decoded out;
  out.pixels.resize(price.decoded_bytes);
  std::vector<std::byte> scratch(price.scratch_bytes + 64);
  void* aligned = scratch.data();
  std::size_t room = scratch.size();
  std::align(64, price.scratch_bytes, aligned, room);
  out.result = decoder.decode(sample.encoded, info, request, out.pixels,
                              {static_cast<std::byte*>(aligned), price.scratch_bytes}, {});
  out.scratch_bytes = decoder.last_scratch_bytes();
  out.scratch_price_bytes = price.scratch_bytes;
  return out;
}

// The slow twin: libjpeg with its own memory manager, row by row, as libjpeg.txt shows it.
std::vector<std::byte> decode_plainly(const tests::SmallSample& sample, std::uint32_t scale,
                                      std::uint32_t channels) {
  jpeg_decompress_struct cinfo{};
  jpeg_error_mgr error{};
  cinfo.err = jpeg_std_error(&error);
  jpeg_create_decompress(&cinfo);
  jpeg_mem_src(&cinfo, reinterpret_cast<const unsigned char*>(sample.encoded.data()),
               sample.encoded.size());
  jpeg_read_header(&cinfo, TRUE);
  cinfo.scale_num = 1;
  cinfo.scale_denom = scale;
  cinfo.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&cinfo);
  std::vector<std::byte> pixels(std::size_t{cinfo.output_width} * cinfo.output_height * channels);
  while (cinfo.output_scanline < cinfo.output_height) {
    auto* row = reinterpret_cast<JSAMPROW>(pixels.data()) +
                std::size_t{cinfo.output_scanline} * cinfo.output_width * channels;
    jpeg_read_scanlines(&cinfo, &row, 1);
  }
  jpeg_finish_decompress(&cinfo);
  jpeg_destroy_decompress(&cinfo);
  return pixels;
}

BOOST_AUTO_TEST_SUITE(jpeg_decoder)

BOOST_AUTO_TEST_CASE(pixels_equal_libjpegs_own_and_stay_within_the_price) {
  const std::uint64_t seed = 5;
  BOOST_TEST_MESSAGE("seed " << seed);
  JpegDecoder reused;
  for (const auto subsampling :
       {ChromaSubsampling::k444, ChromaSubsampling::k422, ChromaSubsampling::k420}) {
    for (const bool is_progressive : {false, true}) {
      for (const auto& [width, height] :
           {std::pair{1u, 1u}, {1u, 300u}, {301u, 1u}, {17u, 33u}, {640u, 427u}, {5000u, 16u}}) {
        for (const std::uint32_t channels : {3u, 1u}) {
          const auto sample = tests::jpeg_sample(
              width, height, seed,
              {.quality = 80, .subsampling = subsampling, .is_progressive = is_progressive},
              channels);
          for (const std::uint32_t scale : {1u, 2u, 4u, 8u}) {
            BOOST_TEST_INFO("sides " << width << " x " << height << ", scale " << scale
                                     << ", channels " << channels << ", progressive "
                                     << is_progressive << ", subsampling "
                                     << static_cast<int>(subsampling));
            const Decoded decoded = decode(sample, scale, channels, &reused);
            BOOST_REQUIRE(decoded.result.ok());
            BOOST_REQUIRE(decoded.pixels == decode_plainly(sample, scale, channels));
            BOOST_REQUIRE(decoded.scratch_bytes <= decoded.scratch_price_bytes);
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(gray_becomes_rgb_and_rgb_becomes_gray_as_asked) {
  const auto gray = tests::jpeg_sample(40, 30, 1, {}, 1);
  const Decoded as_rgb = decode(gray, 1, 3);
  const Decoded as_gray = decode(gray, 1, 1);
  BOOST_REQUIRE(as_rgb.result.ok());
  BOOST_REQUIRE(as_gray.result.ok());
  for (std::size_t i = 0; i < as_gray.pixels.size(); ++i) {
    for (int c = 0; c < 3; ++c) BOOST_REQUIRE(as_rgb.pixels[3 * i + c] == as_gray.pixels[i]);
  }
}

BOOST_AUTO_TEST_CASE(every_cut_of_a_picture_is_a_fault_and_spoils_nothing_after_it) {
  const auto whole = tests::jpeg_sample(33, 21, 3);
  const auto expected = decode(whole, 1).pixels;
  JpegDecoder reused;
  for (std::size_t length = 0; length + 2 < whole.encoded.size(); length += 7) {
    BOOST_TEST_INFO("first " << length << " of " << whole.encoded.size() << " bytes");
    auto cut = whole;
    cut.encoded.resize(length);
    BOOST_REQUIRE(!decode(cut, 1, 3, &reused).result.ok());
    BOOST_REQUIRE(decode(whole, 1, 3, &reused).pixels == expected);
  }
}

BOOST_AUTO_TEST_CASE(a_picture_unlike_its_index_record_is_a_fault) {
  auto sample = tests::jpeg_sample(33, 21, 3, {.is_progressive = true});
  sample.record.flags = 0;
  BOOST_TEST(decode(sample, 1).result.fault().detail() ==
             "the picture has several scans, the index says one");
  sample.record.flags = kFlagProgressive;
  sample.record.width_px = 32;
  BOOST_TEST(decode(sample, 1).result.fault().detail() ==
             "the picture's sides are not those of the index");
}

BOOST_AUTO_TEST_CASE(too_little_scratch_is_a_fault_not_a_crash) {
  const auto sample = tests::jpeg_sample(400, 300, 3, {.is_progressive = true});
  JpegDecoder decoder;
  alignas(64) std::array<std::byte, 65536> scratch;
  std::vector<std::byte> pixels(400 * 300 * 3);
  const auto result = decoder.decode(sample.encoded, stored_info(sample.record),
                                     {.region = {0, 0, 400, 300}}, pixels, scratch, {});
  BOOST_TEST((result.fault().status == SampleStatus::kDecodeFailed));
}

BOOST_AUTO_TEST_CASE(a_requested_stop_ends_a_decode) {
  for (const bool is_progressive : {false, true}) {
    const auto sample = tests::jpeg_sample(64, 300, 3, {.is_progressive = is_progressive});
    std::stop_source stop;
    stop.request_stop();
    JpegDecoder decoder;
    const StoredInfo info = stored_info(sample.record);
    const DecodeRequest request{.region = {0, 0, 64, 300}};
    std::vector<std::byte> pixels(64 * 300 * 3);
    std::vector<std::byte> scratch(decoder.price(info, request).scratch_bytes + 64);
    const auto result =
        decoder.decode(sample.encoded, info, request, pixels, scratch, stop.get_token());
    BOOST_TEST(result.fault().detail() == "stopped");
    // A progressive picture is left while its scans are absorbed, before any row comes out.
    BOOST_TEST((pixels == std::vector<std::byte>(pixels.size())));
  }
}

// Scans of a progressive picture may be repeated without limit: each adds nothing and costs a pass.
BOOST_AUTO_TEST_CASE(a_picture_with_thousands_of_scans_is_a_fault) {
  auto sample = tests::jpeg_sample(16, 16, 3, {.is_progressive = true}, 1);
  const auto is_marker = [&](std::size_t at, int marker) {
    return sample.encoded[at] == std::byte{0xFF} && sample.encoded[at + 1] == std::byte(marker);
  };
  std::size_t last_scan = 0;
  for (std::size_t at = 0; at + 1 < sample.encoded.size(); ++at) {
    if (is_marker(at, 0xDA)) last_scan = at;
  }
  const std::vector<std::byte> scan(sample.encoded.begin() + static_cast<long>(last_scan),
                                    sample.encoded.end() - 2);
  const std::vector<std::byte> end(sample.encoded.end() - 2, sample.encoded.end());
  sample.encoded.resize(sample.encoded.size() - 2);
  for (int i = 0; i < 2000; ++i) {
    sample.encoded.insert(sample.encoded.end(), scan.begin(), scan.end());
  }
  sample.encoded.insert(sample.encoded.end(), end.begin(), end.end());
  BOOST_TEST(decode(sample, 1).result.fault().detail() == "more than 500 scans");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
