#include "streamer/read/jpeg_decoder.h"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstring>

#include <jpeglib.h>

#include "fixtures/jpeg_edit.h"
#include "tests/streamer/small_dataset.h"

namespace penstock {
namespace {

using fixtures::ChromaSubsampling;
using fixtures::ComponentSampling;
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
  const DecodePrice price = jpeg_decode_price(info, request);
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
  error.output_message = [](j_common_ptr) {};  // of the oddities that tests make
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

// Decodes at every scale, with one decoder for all pictures.
void check_twin_and_price(const tests::SmallSample& sample, std::uint32_t channels) {
  static JpegDecoder reused;
  for (const std::uint32_t scale : {1u, 2u, 4u, 8u}) {
    BOOST_TEST_INFO("sides " << sample.record.width_px << " x " << sample.record.height_px
                             << ", channels " << channels << ", scale " << scale);
    const Decoded decoded = decode(sample, scale, channels, &reused);
    BOOST_TEST_INFO("took " << decoded.scratch_bytes << " of " << decoded.scratch_price_bytes);
    BOOST_REQUIRE(decoded.result.ok());
    BOOST_REQUIRE(decoded.pixels == decode_plainly(sample, scale, channels));
    BOOST_REQUIRE(decoded.scratch_bytes <= decoded.scratch_price_bytes);
  }
}

constexpr std::uint64_t kSeed = 5;

BOOST_AUTO_TEST_CASE(pixels_equal_libjpegs_own_and_stay_within_the_price) {
  BOOST_TEST_MESSAGE("seed " << kSeed);
  for (const auto subsampling :
       {ChromaSubsampling::k444, ChromaSubsampling::k422, ChromaSubsampling::k420}) {
    for (const bool is_progressive : {false, true}) {
      BOOST_TEST_CONTEXT("subsampling " << static_cast<int>(subsampling) << ", progressive "
                                        << is_progressive)
      for (const auto& [width, height] :
           {std::pair{1u, 1u}, {1u, 300u}, {301u, 1u}, {17u, 33u}, {640u, 427u}, {5000u, 16u}}) {
        const JpegOptions options{
            .quality = 80, .subsampling = subsampling, .is_progressive = is_progressive};
        for (const std::uint32_t channels : {3u, 1u}) {
          check_twin_and_price(tests::jpeg_sample(width, height, kSeed, options, channels),
                               channels);
        }
      }
    }
  }
}

// What libjpeg reads besides what cameras write: sampling that libjpeg-turbo has no fast way for,
// up to ten blocks a minimum coded unit (ITU-T T.81, B.2.3), other colours, other ways of coding.
std::vector<JpegOptions> rare_kinds() {
  std::vector<JpegOptions> kinds = {
      {.subsampling = ChromaSubsampling::k440},
      {.subsampling = ChromaSubsampling::k411},
      {.sampling_factors = ComponentSampling{{{3, 1}, {1, 1}, {1, 1}}}},
      {.sampling_factors = ComponentSampling{{{1, 3}, {1, 1}, {1, 1}}}},
      {.sampling_factors = ComponentSampling{{{4, 2}, {1, 1}, {1, 1}}}},
      {.sampling_factors = ComponentSampling{{{2, 4}, {1, 1}, {1, 1}}}},
      {.sampling_factors = ComponentSampling{{{1, 1}, {2, 2}, {2, 2}}}},
      {.sampling_factors = ComponentSampling{{{1, 1}, {1, 1}, {4, 2}}}},
      {.sampling_factors = ComponentSampling{{{2, 1}, {1, 2}, {1, 1}}}},
      {.sampling_factors = ComponentSampling{{{2, 2}, {2, 1}, {1, 2}}}},
      {.is_stored_as_rgb = true},
      {.is_arithmetic = true},
      {.restart_rows = 1},
      {.sampling_factors = ComponentSampling{{{4, 1}, {1, 1}, {2, 1}}},
       .is_arithmetic = true,
       .restart_rows = 2}};
  for (std::size_t i = 0, num_plain = kinds.size(); i < num_plain; ++i) {
    kinds.push_back(kinds[i]);
    kinds.back().is_progressive = true;
    kinds.push_back(kinds[i]);
    kinds.back().has_scan_per_component = true;
  }
  return kinds;
}

BOOST_AUTO_TEST_CASE(rare_pictures_equal_libjpegs_own_and_stay_within_the_price) {
  BOOST_TEST_MESSAGE("seed " << kSeed);
  const std::vector<JpegOptions> kinds = rare_kinds();
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    for (const auto& [width, height] :
         {std::pair{1u, 1u}, {1u, 300u}, {301u, 1u}, {17u, 33u}, {640u, 427u}, {5000u, 16u}}) {
      BOOST_TEST_CONTEXT("kind " << i)
      check_twin_and_price(tests::jpeg_sample(width, height, kSeed, kinds[i]), 3);
    }
  }
}

// Changes the byte `offset` bytes after the first marker FF `marker`.
tests::SmallSample with_byte(tests::SmallSample sample, int marker, std::size_t offset,
                             std::uint8_t value) {
  auto& bytes = sample.encoded;
  for (std::size_t at = 0; at + offset < bytes.size(); ++at) {
    if (bytes[at] != std::byte{0xFF} || bytes[at + 1] != std::byte(marker)) continue;
    bytes[at + offset] = std::byte{value};
    return sample;
  }
  BOOST_FAIL("no such marker");
  return sample;
}

// Offsets: JFIF 1.02, APP0: marker, length, "JFIF" 0, version; Adobe technical note 5116, APP14:
// marker, length, "Adobe", version, two flags, transform; ITU-T T.81, B.2.3, scan of one component:
// marker, length, count, id, tables, first and last coefficient.
BOOST_AUTO_TEST_CASE(oddities_of_headers_are_no_damage) {
  const auto photo = tests::jpeg_sample(40, 30, kSeed);
  const auto rgb = tests::jpeg_sample(40, 30, kSeed, {.is_stored_as_rgb = true});
  const auto gray = tests::jpeg_sample(40, 30, kSeed, {}, 1);
  const auto jfif_2 = with_byte(photo, 0xE0, 9, 2);
  const auto transform_9 = with_byte(rgb, 0xEE, 15, 9);
  const auto last_coefficient_0 = with_byte(gray, 0xDA, 8, 0);
  for (const auto& sample : {jfif_2, transform_9, last_coefficient_0}) {
    const Decoded decoded = decode(sample, 1);
    BOOST_TEST(decoded.result.ok(), decoded.result.fault().detail());
    BOOST_TEST((decoded.pixels == decode_plainly(sample, 1, 3)));
  }
  BOOST_TEST((decode(jfif_2, 1).pixels == decode(photo, 1).pixels));
  BOOST_TEST((decode(last_coefficient_0, 1).pixels == decode(gray, 1).pixels));
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

// Frames of Motion JPEG lack Huffman tables; libjpeg then takes ITU-T T.81's, but a reused object
// would have those of the picture before. A progressive picture has tables made for it.
BOOST_AUTO_TEST_CASE(a_picture_without_tables_is_not_decoded_with_those_of_the_one_before) {
  auto bare = tests::jpeg_sample(33, 21, 3);
  const auto expected = decode(bare, 1).pixels;
  bare.encoded = fixtures::without_segments(bare.encoded, fixtures::JpegMarker::kHuffman);
  auto without_quantisation = tests::jpeg_sample(33, 21, 3);
  without_quantisation.encoded =
      fixtures::without_segments(without_quantisation.encoded, fixtures::JpegMarker::kQuantisation);
  const auto before = tests::jpeg_sample(40, 40, 3, {.quality = 30, .is_progressive = true});
  JpegDecoder reused;
  for (int i = 0; i < 20; ++i) {
    BOOST_REQUIRE(decode(before, 1, 3, &reused).result.ok());
    BOOST_REQUIRE(decode(bare, 1, 3, &reused).pixels == expected);
    BOOST_REQUIRE(!decode(without_quantisation, 1, 3, &reused).result.ok());
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
    std::vector<std::byte> scratch(jpeg_decode_price(info, request).scratch_bytes + 64,
                                   std::byte{0xAB});
    const auto result =
        decoder.decode(sample.encoded, info, request, pixels, scratch, stop.get_token());
    BOOST_TEST(result.fault().detail() == "stopped");
    // Nor are its coefficients zeroed first, two bytes a pixel of the brightness alone.
    BOOST_TEST(std::ranges::count(scratch, std::byte{0}) < 64 * 300 * 2 / 4);
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
