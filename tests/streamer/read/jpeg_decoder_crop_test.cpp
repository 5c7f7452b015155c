// Regions of pictures against libjpeg itself, which decodes the whole picture by another path.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstring>

#include <jpeglib.h>

#include "streamer/core/draws.h"
#include "streamer/read/jpeg_decoder.h"
#include "streamer/read/jpeg_restart.h"
#include "tests/streamer/small_dataset.h"

namespace penstock {
namespace {

using fixtures::ComponentSampling;
using fixtures::JpegOptions;

struct WholePicture {
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  std::uint32_t channels = 0;
  std::vector<std::uint8_t> pixels;

  const std::uint8_t* at(std::uint32_t x, std::uint32_t y) const {
    return &pixels[(std::size_t{y} * width_px + x) * channels];
  }
};

// The slow twin: libjpeg with its own memory manager, row by row, as libjpeg.txt shows it.
WholePicture decode_plainly(const std::vector<std::byte>& encoded, std::uint32_t scale,
                            std::uint32_t channels, bool smooths_blocks = true) {
  jpeg_decompress_struct cinfo{};
  jpeg_error_mgr error{};
  cinfo.err = jpeg_std_error(&error);
  jpeg_create_decompress(&cinfo);
  jpeg_mem_src(&cinfo, reinterpret_cast<const unsigned char*>(encoded.data()), encoded.size());
  jpeg_read_header(&cinfo, TRUE);
  cinfo.scale_num = 1;
  cinfo.scale_denom = scale;
  cinfo.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  cinfo.do_block_smoothing = smooths_blocks ? TRUE : FALSE;
  jpeg_start_decompress(&cinfo);
  WholePicture whole{cinfo.output_width, cinfo.output_height, channels, {}};
  whole.pixels.resize(std::size_t{whole.width_px} * whole.height_px * channels);
  while (cinfo.output_scanline < cinfo.output_height) {
    JSAMPROW row = &whole.pixels[std::size_t{cinfo.output_scanline} * whole.width_px * channels];
    jpeg_read_scanlines(&cinfo, &row, 1);
  }
  jpeg_finish_decompress(&cinfo);
  jpeg_destroy_decompress(&cinfo);
  return whole;
}

std::uint32_t ceil_div(std::uint32_t a, std::uint32_t b) {
  return (a + b - 1) / b;
}

// Decodes `region` with bytes of no meaning all around, and holds it against the twin.
void check_region(JpegDecoder& decoder, const tests::SmallSample& sample, RectPx region,
                  std::uint32_t scale, const WholePicture& whole) {
  constexpr auto kGuard = std::byte{0xA5};
  const StoredInfo info = stored_info(sample.record);
  const DecodeRequest request{.region = region, .decode_scale = scale, .channels = whole.channels};
  const DecodePrice price = jpeg_decode_price(info, request);
  std::vector<std::byte> pixels(price.decoded_bytes + 64, kGuard);
  std::vector<std::byte> scratch(price.scratch_bytes + 128, kGuard);
  void* aligned = scratch.data();
  std::size_t room = scratch.size();
  std::align(64, price.scratch_bytes, aligned, room);
  const auto result =
      decoder.decode(sample.encoded, info, request, std::span(pixels).first(price.decoded_bytes),
                     {static_cast<std::byte*>(aligned), price.scratch_bytes}, {});
  BOOST_TEST_INFO("region " << region.x << ", " << region.y << ", " << region.width << " x "
                            << region.height << ", scale 1/" << scale << ", channels "
                            << whole.channels << ", scratch " << decoder.last_scratch_bytes()
                            << " of " << price.scratch_bytes);
  BOOST_REQUIRE_MESSAGE(result.ok(), result.fault().detail());
  const DecodedView& view = result.value();
  const RectPx at_scale{region.x / scale, region.y / scale,
                        ceil_div(region.x + region.width, scale) - region.x / scale,
                        ceil_div(region.y + region.height, scale) - region.y / scale};
  BOOST_REQUIRE((view.region == at_scale));
  BOOST_REQUIRE(view.image.width_px == at_scale.width);
  BOOST_REQUIRE(view.image.height_px == at_scale.height);
  for (std::uint32_t y = 0; y < at_scale.height; ++y) {
    const std::uint8_t* const expected = whole.at(at_scale.x, at_scale.y + y);
    const std::uint8_t* const found = view.image.row(y);
    const auto [e, f] = std::mismatch(expected, expected + at_scale.width * whole.channels, found);
    BOOST_REQUIRE_MESSAGE(e == expected + at_scale.width * whole.channels,
                          "region " << region.x << ", " << region.y << ", " << region.width << " x "
                                    << region.height << ", scale 1/" << scale << ", channels "
                                    << whole.channels << ": row " << y << " differs at byte "
                                    << (e - expected));
  }
  BOOST_REQUIRE(
      std::all_of(pixels.end() - 64, pixels.end(), [](std::byte b) { return b == kGuard; }));
}

struct Words {
  explicit Words(std::uint64_t seed) : draws_({.seed = seed}) {}
  /// A number from 0 to n - 1.
  std::uint32_t below(std::uint32_t n) {
    if (next_ % 4 == 0) block_ = draws_.block(static_cast<std::uint16_t>(next_ / 4));
    return block_[next_++ % 4] % n;
  }

 private:
  Draws draws_;
  std::array<std::uint32_t, 4> block_{};
  std::uint32_t next_ = 0;
};

// Half of them touch an edge, a quarter are single columns or rows.
RectPx draw_region(Words& words, std::uint32_t width_px, std::uint32_t height_px) {
  const auto side = [&](std::uint32_t px) {
    std::uint32_t begin = words.below(px);
    std::uint32_t length = 1 + words.below(px - begin);
    switch (words.below(8)) {
      case 0:
      case 1:
        begin = 0;
        break;
      case 2:
      case 3:
        length = px - begin;
        break;
      case 4:
      case 5:
        length = 1;
        break;
      default:
        break;
    }
    return std::pair{begin, length};
  };
  const auto [x, width] = side(width_px);
  const auto [y, height] = side(height_px);
  return {x, y, width, height};
}

// Sampling factors that libjpeg reads, up to ten blocks a minimum coded unit (ITU-T T.81, B.2.3).
const std::vector<ComponentSampling> kSamplings = {
    {{{1, 1}, {1, 1}, {1, 1}}}, {{{2, 1}, {1, 1}, {1, 1}}}, {{{2, 2}, {1, 1}, {1, 1}}},
    {{{2, 2}, {1, 1}, {1, 1}}}, {{{1, 2}, {1, 1}, {1, 1}}}, {{{4, 1}, {1, 1}, {1, 1}}},
    {{{3, 1}, {1, 1}, {1, 1}}}, {{{4, 2}, {1, 1}, {1, 1}}}, {{{2, 4}, {1, 1}, {1, 1}}},
    {{{1, 1}, {2, 2}, {2, 2}}}, {{{2, 1}, {1, 2}, {1, 1}}}, {{{2, 2}, {2, 1}, {1, 2}}},
    {{{2, 1}, {2, 1}, {2, 1}}}, {{{1, 1}, {1, 1}, {4, 2}}}};

tests::SmallSample draw_picture(Words& words, std::uint64_t seed) {
  JpegOptions options{.quality = 75};
  options.sampling_factors = kSamplings[words.below(static_cast<std::uint32_t>(kSamplings.size()))];
  options.is_stored_as_rgb = words.below(16) == 0;
  options.is_arithmetic = words.below(16) == 0;
  options.is_progressive = words.below(3) == 0;
  options.has_scan_per_component = !options.is_progressive && words.below(8) == 0;
  options.restart_rows = words.below(4) == 0 ? 1 : 0;
  const std::uint32_t longest_px = words.below(4) == 0 ? 20 : 220;
  const std::uint32_t width_px = 1 + words.below(longest_px);
  const std::uint32_t height_px = 1 + words.below(longest_px);
  const bool is_gray = words.below(5) == 0;
  if (!is_gray) return tests::jpeg_sample(width_px, height_px, seed, options);
  options.has_scan_per_component = false;
  auto sample = tests::jpeg_sample(width_px, height_px, seed, options, 1);
  // A single component is stored block by block whatever its factors say; cameras write 2 x 2.
  const auto* const marks = options.is_progressive ? "\xFF\xC2" : "\xFF\xC0";
  const auto frame = std::search(sample.encoded.begin(), sample.encoded.end(),
                                 reinterpret_cast<const std::byte*>(marks),
                                 reinterpret_cast<const std::byte*>(marks) + 2);
  if (words.below(2) == 0 && frame != sample.encoded.end()) frame[11] = std::byte{0x22};
  return sample;
}

void check_regions_of(std::uint64_t seed) {
  Words words(seed);
  const tests::SmallSample sample = draw_picture(words, seed);
  static JpegDecoder reused;
  BOOST_TEST_CONTEXT(
      "seed " << seed << ", sides " << sample.record.width_px << " x " << sample.record.height_px
              << ", components " << int{sample.record.components} << ", subsampling "
              << int{sample.record.subsampling_x} << " x " << int{sample.record.subsampling_y}
              << ", flags " << int{sample.record.flags})
  for (const std::uint32_t scale : {1u, 2u, 4u, 8u}) {
    const WholePicture whole = decode_plainly(sample.encoded, scale, words.below(4) == 0 ? 1u : 3u);
    for (int i = 0; i < 6; ++i) {
      check_region(reused, sample,
                   draw_region(words, sample.record.width_px, sample.record.height_px), scale,
                   whole);
    }
  }
}

// Ends the picture before the first scan that refines an earlier one (Ah > 0, the high half of the
// last byte of a scan's header; ITU-T T.81, B.2.3).
tests::SmallSample unrefined(tests::SmallSample sample) {
  auto& bytes = sample.encoded;
  for (std::size_t at = 0; at + 4 < bytes.size(); ++at) {
    if (bytes[at] != std::byte{0xFF} || bytes[at + 1] != std::byte{0xDA}) continue;
    const std::size_t last = at + 1 + (std::to_integer<std::size_t>(bytes[at + 2]) << 8) +
                             std::to_integer<std::size_t>(bytes[at + 3]);
    if (std::to_integer<unsigned>(bytes[last]) >> 4 == 0) continue;
    bytes.resize(at);
    bytes.insert(bytes.end(), {std::byte{0xFF}, std::byte{0xD9}});
    return sample;
  }
  BOOST_FAIL("no scan refines another");
  return sample;
}

BOOST_AUTO_TEST_SUITE(jpeg_decoder_crop)

BOOST_AUTO_TEST_CASE(every_pixel_of_a_region_is_that_of_the_whole_picture) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) check_regions_of(seed);
}
// The bits that later scans would bring stay 0, with and without a crop; libjpeg would guess them
// from the blocks on all sides, which differ at the border of a crop.
BOOST_AUTO_TEST_CASE(what_a_progressive_picture_leaves_unsent_is_not_guessed) {
  const auto sample = unrefined(tests::jpeg_sample(203, 150, 7, {.is_progressive = true}));
  JpegDecoder decoder;
  for (const std::uint32_t scale : {1u, 2u, 4u, 8u}) {
    const auto plain = decode_plainly(sample.encoded, scale, 3, false);
    if (scale == 1) BOOST_TEST((plain.pixels != decode_plainly(sample.encoded, 1, 3).pixels));
    for (const RectPx region : {RectPx{0, 0, 203, 150}, {64, 32, 40, 17}, {33, 65, 1, 1}}) {
      check_region(decoder, sample, region, scale, plain);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_price_of_a_region_is_its_own_and_that_of_the_whole_bounds_it) {
  const StoredInfo info{.width_px = 12'000, .height_px = 8'000, .subsampling_x = 2};
  const DecodeRequest whole{.region = {0, 0, 12'000, 8'000}};
  BOOST_TEST(jpeg_decode_price(info, whole).decoded_bytes == 12'000u * 8'000 * 3);
  // Two columns for the upsampling and 32 before the first coded unit (jpeg_price.h).
  BOOST_TEST(jpeg_decode_price(info, {.region = {5'000, 100, 224, 200}}).decoded_bytes ==
             (224u + 2 + 32) * 200 * 3);
  Words words(11);
  for (int i = 0; i < 1'000; ++i) {
    const RectPx region = draw_region(words, 12'000, 8'000);
    for (const std::uint32_t scale : {1u, 2u, 4u, 8u}) {
      DecodeRequest finest = whole;
      finest.decode_scale = std::max(scale / 2, 1u);
      const DecodePrice part = jpeg_decode_price(info, {.region = region, .decode_scale = scale});
      BOOST_REQUIRE(part.decoded_bytes <= jpeg_decode_price(info, finest).decoded_bytes);
      BOOST_REQUIRE(part.scratch_bytes <= jpeg_decode_price(info, finest).scratch_bytes);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_region_reaching_beyond_the_picture_is_cut_and_one_outside_is_a_fault) {
  const auto sample = tests::jpeg_sample(40, 30, 3);
  JpegDecoder decoder;
  std::vector<std::byte> pixels(40 * 30 * 3);
  std::vector<std::byte> scratch(1 << 20);
  const auto decode = [&](RectPx region) {
    return decoder.decode(sample.encoded, stored_info(sample.record), {.region = region}, pixels,
                          scratch, {});
  };
  BOOST_TEST((decode({35, 20, 0xFFFFFFFF, 0xFFFFFFFF}).value().region == RectPx{35, 20, 5, 10}));
  BOOST_TEST(decode({40, 0, 1, 1}).fault().detail() == "the region lies outside the picture");
  BOOST_TEST(decode({0, 0, 10, 0}).fault().detail() == "the region lies outside the picture");
  BOOST_TEST(decode({0, 0, 40, 30}).ok());
}

// Only the bytes above the region are looked at: what is below, the checksum guards.
BOOST_AUTO_TEST_CASE(rows_below_the_region_are_not_decoded) {
  const auto whole = tests::jpeg_sample(64, 400, 3);
  auto cut = whole;
  cut.encoded.resize(cut.encoded.size() / 2);
  JpegDecoder decoder;
  check_region(decoder, cut, {8, 40, 30, 60}, 1, decode_plainly(whole.encoded, 1, 3));
  std::vector<std::byte> pixels(64 * 400 * 3);
  std::vector<std::byte> scratch(1 << 20);
  BOOST_TEST(!decoder
                  .decode(cut.encoded, stored_info(cut.record), {.region = {8, 40, 30, 300}},
                          pixels, scratch, {})
                  .ok());
}

// The expected rows are counted by hand from T.81: a coded unit of 4:2:0 is 16 px high, and one row of
// them above the region is decoded with it.
BOOST_AUTO_TEST_CASE(a_picture_with_restart_markers_is_entered_a_row_of_units_above_the_region) {
  JpegDecoder decoder;
  const auto skipped = [&](const tests::SmallSample& sample, std::uint32_t y, std::uint32_t scale) {
    const WholePicture whole = decode_plainly(sample.encoded, scale, 3);
    check_region(decoder, sample, {7, y, 30, 20}, scale, whole);
    return decoder.last_skipped_px();
  };
  const auto rows = tests::jpeg_sample(70, 200, 5, {.restart_rows = 1});
  BOOST_TEST(skipped(rows, 31, 1) == 0u);
  BOOST_TEST(skipped(rows, 32, 1) == 16u);
  BOOST_TEST(skipped(rows, 100, 1) == 80u);
  BOOST_TEST(skipped(rows, 100, 4) == 80u);
  BOOST_TEST(skipped(rows, 100, 8) == 80u);
  BOOST_TEST(skipped(rows, 180, 1) == 160u);  // to the bottom, which is no whole unit
  const auto third_rows = tests::jpeg_sample(70, 200, 5, {.restart_rows = 3});
  BOOST_TEST(skipped(third_rows, 100, 1) == 48u);
  BOOST_TEST(skipped(tests::jpeg_sample(70, 200, 5, {}), 100, 1) == 0u);
  BOOST_TEST(skipped(tests::jpeg_sample(70, 200, 5, {.is_progressive = true, .restart_rows = 1}),
                     100, 1) == 0u);
  BOOST_TEST(skipped(tests::jpeg_sample(70, 200, 5, {.is_arithmetic = true, .restart_rows = 1}),
                     100, 1) == 0u);
}

BOOST_AUTO_TEST_CASE(regions_entered_at_restart_markers_have_the_pixels_of_the_whole_picture) {
  JpegDecoder decoder;
  std::uint32_t num_entered = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Words words(seed);
    JpegOptions options{.quality = 80};
    options.sampling_factors =
        kSamplings[words.below(static_cast<std::uint32_t>(kSamplings.size()))];
    options.restart_rows = static_cast<std::uint8_t>(1 + words.below(3));
    const auto sample = tests::jpeg_sample(1 + words.below(150), 40 + words.below(400), seed,
                                           options, words.below(4) == 0 ? 1u : 3u);
    BOOST_TEST_CONTEXT("seed " << seed)
    for (const std::uint32_t scale : {1u, 2u, 4u, 8u}) {
      const WholePicture whole = decode_plainly(sample.encoded, scale, 3);
      for (int i = 0; i < 4; ++i) {
        check_region(decoder, sample,
                     draw_region(words, sample.record.width_px, sample.record.height_px), scale,
                     whole);
        num_entered += decoder.last_skipped_px() > 0 ? 1 : 0;
      }
    }
  }
  BOOST_TEST(num_entered > 200u);  // of 960: the others begin near the top
}

// One byte of the data is changed. The slow twin is the whole picture by the same decoder, which is
// never entered below its top. What it takes without a word, the crop takes, with the same pixels;
// what lies above the entry changes nothing.
BOOST_AUTO_TEST_CASE(damage_is_met_as_in_the_whole_picture_or_lies_above_the_entry) {
  const auto good = tests::jpeg_sample(90, 300, 5, {.quality = 70, .restart_rows = 1});
  const WholePicture expected = decode_plainly(good.encoded, 1, 3);
  const StoredInfo info = stored_info(good.record);
  const RectPx region{20, 150, 40, 60};
  const auto entry = find_jpeg_entry(good.encoded, info, {150, 60}, 1);
  BOOST_REQUIRE(entry.has_value());
  BOOST_TEST(entry->skipped_px == 128u);
  JpegDecoder decoder;
  std::vector<std::byte> whole_pixels(90 * 300 * 3);
  std::vector<std::byte> pixels(90 * 300 * 3);
  std::vector<std::byte> scratch(1 << 20);
  Words words(3);
  std::uint32_t num_entered = 0;
  std::uint32_t num_faults = 0;
  for (int i = 0; i < 2'000; ++i) {
    auto bytes = good.encoded;
    const std::size_t data_bytes = bytes.size() - entry->data_at;
    const std::size_t at = entry->data_at + words.below(static_cast<std::uint32_t>(data_bytes - 2));
    const bool writes_marker = words.below(3) == 0;
    bytes[at] = writes_marker ? std::byte{0xFF} : static_cast<std::byte>(words.below(256));
    if (writes_marker) bytes[at + 1] = static_cast<std::byte>(0xD0 + words.below(8));
    const auto whole =
        decoder.decode(bytes, info, {.region = {0, 0, 90, 300}}, whole_pixels, scratch, {});
    const auto crop = decoder.decode(bytes, info, {.region = region}, pixels, scratch, {});
    const bool is_entered = decoder.last_skipped_px() > 0;
    num_entered += is_entered ? 1 : 0;
    num_faults += crop.ok() ? 0 : 1;
    BOOST_TEST_CONTEXT("seed 3, change " << i << " at " << at) {
      if (whole.ok()) BOOST_REQUIRE(crop.ok());
      if (!crop.ok()) continue;
      for (std::uint32_t y = 0; y < region.height; ++y) {
        const std::uint8_t* const row = crop.value().image.row(y);
        const auto is_row = [&](const std::uint8_t* other) {
          return std::equal(row, row + region.width * 3, other);
        };
        if (whole.ok()) {
          BOOST_REQUIRE(is_row(whole.value().image.row(region.y + y) + region.x * 3));
        }
        if (is_entered && at + 1 < entry->resume_at) {
          BOOST_REQUIRE(is_row(expected.at(region.x, region.y + y)));
        }
      }
    }
  }
  BOOST_TEST(num_entered > 1'000u);
  BOOST_TEST(num_faults > 100u);
}

// A number that libjpeg would await, were it counted from the entry, included.
BOOST_AUTO_TEST_CASE(restart_markers_out_of_order_are_a_fault_to_the_end_of_the_region) {
  const auto good = tests::jpeg_sample(90, 300, 5, {.restart_rows = 1});
  const StoredInfo info = stored_info(good.record);
  JpegDecoder decoder;
  std::vector<std::byte> pixels(90 * 300 * 3);
  std::vector<std::byte> scratch(1 << 20);
  unsigned num_markers = 0;
  for (std::size_t at = 0; at + 1 < good.encoded.size(); ++at) {
    const auto second = std::to_integer<unsigned>(good.encoded[at + 1]);
    if (good.encoded[at] != std::byte{0xFF} || second < 0xD0 || second > 0xD7) continue;
    BOOST_REQUIRE(second == 0xD0 + num_markers % 8);
    ++num_markers;
    for (unsigned other = 0xD0; other <= 0xD7; ++other) {
      if (other == second) continue;
      auto bytes = good.encoded;
      bytes[at + 1] = static_cast<std::byte>(other);
      const auto crop =
          decoder.decode(bytes, info, {.region = {20, 150, 40, 60}}, pixels, scratch, {});
      BOOST_TEST_CONTEXT("marker " << num_markers << " as " << other) {
        BOOST_REQUIRE(decoder.last_skipped_px() == (num_markers <= 14 ? 0u : 128u));
        // Row 210 ends in the 14th row of units; the 14th marker stands behind that row.
        if (num_markers <= 13) BOOST_REQUIRE(!crop.ok());
        if (num_markers > 14) BOOST_REQUIRE(crop.ok());
      }
    }
  }
  BOOST_TEST(num_markers == 18u);  // 19 rows of units of 16 px
}

BOOST_AUTO_TEST_CASE(bytes_of_no_sense_are_not_entered) {
  const auto good = tests::jpeg_sample(90, 300, 5, {.restart_rows = 1});
  const StoredInfo info = stored_info(good.record);
  const std::span<const std::byte> bytes = good.encoded;
  BOOST_REQUIRE(find_jpeg_entry(bytes, info, {150, 60}, 1).has_value());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto entry = find_jpeg_entry(bytes.first(length), info, {150, 60}, 1);
    if (entry) BOOST_REQUIRE(entry->resume_at <= length);
  }
  BOOST_TEST(!find_jpeg_entry(bytes.first(bytes.size() / 2), info, {150, 60}, 1).has_value());
  StoredInfo other = info;
  other.height_px = 301;
  BOOST_TEST(!find_jpeg_entry(bytes, other, {150, 60}, 1).has_value());
  // Every byte of the header, changed in every bit: what is found lies within the bytes.
  const std::size_t data_at = find_jpeg_entry(bytes, info, {150, 60}, 1)->data_at;
  for (std::size_t at = 0; at < data_at; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto changed = good.encoded;
      changed[at] ^= static_cast<std::byte>(1u << bit);
      const auto entry = find_jpeg_entry(changed, info, {150, 60}, 1);
      if (!entry) continue;
      BOOST_REQUIRE(entry->height_at + 2 <= entry->data_at);
      BOOST_REQUIRE(entry->data_at <= entry->resume_at);
      BOOST_REQUIRE(entry->resume_at <= changed.size());
      BOOST_REQUIRE(entry->skipped_px + entry->height_px == info.height_px);
      BOOST_REQUIRE(entry->height_px > 0);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
