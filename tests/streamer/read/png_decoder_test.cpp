#include "streamer/read/png_decoder.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <random>
#include <vector>

#include <png.h>

#include "streamer/pipeline/loader.h"
#include "streamer/pipeline/resize_transform.h"
#include "streamer/read/new_picture.h"
#include "streamer/shard/dataset_writer.h"
#include "tests/streamer/small_dataset.h"
#include "tests/temporary_folder.h"

namespace penstock {
namespace {

struct PngKind {
  int color_type = PNG_COLOR_TYPE_RGB;
  int bit_depth = 8;
  bool is_interlaced = false;
};

const std::vector<PngKind> kKinds = [] {
  std::vector<PngKind> kinds;
  for (const bool is_interlaced : {false, true}) {
    for (const int bits : {1, 2, 4, 8, 16}) {
      kinds.push_back({PNG_COLOR_TYPE_GRAY, bits, is_interlaced});
      if (bits <= 8) kinds.push_back({PNG_COLOR_TYPE_PALETTE, bits, is_interlaced});
      if (bits < 8) continue;
      for (const int type :
           {PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA, PNG_COLOR_TYPE_GRAY_ALPHA}) {
        kinds.push_back({type, bits, is_interlaced});
      }
    }
  }
  return kinds;
}();

/// A stored picture, and its pixels as 8-bit gray or RGB.
struct PngPicture {
  tests::SmallSample sample;
  std::vector<std::uint8_t> pixels;
};

/// Writes with libpng; the pixels expected are put together from the values that are written.
PngPicture png_picture(std::uint32_t width_px, std::uint32_t height_px, const PngKind& kind,
                       std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const bool is_palette = kind.color_type == PNG_COLOR_TYPE_PALETTE;
  const bool is_colour = (kind.color_type & PNG_COLOR_MASK_COLOR) != 0;
  const bool has_alpha = (kind.color_type & PNG_COLOR_MASK_ALPHA) != 0;
  const std::uint32_t stored_channels =
      (is_colour && !is_palette ? 3u : 1u) + (has_alpha ? 1u : 0u);
  const std::uint32_t max_value = (1u << kind.bit_depth) - 1;
  std::vector<png_color> palette(std::size_t{1} << std::min(kind.bit_depth, 8));
  for (png_color& c : palette) {
    c = {static_cast<png_byte>(random()), static_cast<png_byte>(random()),
         static_cast<png_byte>(random())};
  }
  std::vector<png_byte> alpha(palette.size(), 7);

  PngPicture picture;
  const std::size_t stored_row_bytes =
      (std::size_t{width_px} * stored_channels * kind.bit_depth + 7) / 8;
  std::vector<png_byte> rows(stored_row_bytes * height_px);
  for (std::uint32_t y = 0; y < height_px; ++y) {
    png_byte* const row = &rows[y * stored_row_bytes];
    for (std::uint32_t x = 0; x < width_px; ++x) {
      for (std::uint32_t c = 0; c < stored_channels; ++c) {
        // A slope with noise: filters of every kind are chosen.
        const auto value = static_cast<std::uint32_t>(
            (std::uint64_t{x + y} * max_value / (width_px + height_px) + random() % 3) %
            (max_value + 1));
        const std::size_t at = std::size_t{x} * stored_channels + c;
        if (kind.bit_depth == 16) {
          row[2 * at] = static_cast<png_byte>(value >> 8);
          row[2 * at + 1] = static_cast<png_byte>(value);
        } else {
          const std::size_t bit = at * kind.bit_depth;
          row[bit / 8] |= static_cast<png_byte>(value << (8 - kind.bit_depth - bit % 8));
        }
        if (is_palette) {
          picture.pixels.insert(picture.pixels.end(),
                                {palette[value].red, palette[value].green, palette[value].blue});
        } else if (!has_alpha || c + 1 < stored_channels) {
          picture.pixels.push_back(static_cast<std::uint8_t>(
              kind.bit_depth == 16 ? value >> 8 : value * 255 / max_value));
        }
      }
    }
  }

  auto& encoded = picture.sample.encoded;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &encoded,
      [](png_structp p, png_bytep bytes, std::size_t num_bytes) {
        auto* to = static_cast<std::vector<std::byte>*>(png_get_io_ptr(p));
        const auto* from = reinterpret_cast<const std::byte*>(bytes);
        to->insert(to->end(), from, from + num_bytes);
      },
      nullptr);
  png_set_IHDR(png, info, width_px, height_px, kind.bit_depth, kind.color_type,
               kind.is_interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (is_palette) {
    png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
    png_set_tRNS(png, info, alpha.data(), static_cast<int>(alpha.size()), nullptr);
  }
  png_set_gAMA(png, info, 0.8);  // not to be applied
  png_text text{.compression = PNG_TEXT_COMPRESSION_zTXt,
                .key = const_cast<char*>("Comment"),
                .text = const_cast<char*>("not looked at"),
                .text_length = 13,
                .itxt_length = 0,
                .lang = nullptr,
                .lang_key = nullptr};
  png_set_text(png, info, &text, 1);
  png_write_info(png, info);
  const int num_passes = png_set_interlace_handling(png);
  for (int pass = 0; pass < num_passes; ++pass) {
    for (std::uint32_t y = 0; y < height_px; ++y) png_write_row(png, &rows[y * stored_row_bytes]);
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);

  IndexRecord& record = picture.sample.record;
  record.width_px = width_px;
  record.height_px = height_px;
  record.codec = static_cast<std::uint8_t>(Codec::kPng);
  record.components = is_colour ? 3 : 1;
  record.flags = kind.is_interlaced ? kFlagProgressive : 0;
  record.class_idx = static_cast<std::uint32_t>(seed % 2);
  return picture;
}

struct Decoded {
  Result<DecodedView> result = SampleFault();
  std::vector<std::byte> pixels;
  std::size_t scratch_bytes = 0;
  std::size_t scratch_price_bytes = 0;
};

Decoded decode(PngDecoder& decoder, const tests::SmallSample& sample, RectPx region,
               std::uint32_t channels) {
  const StoredInfo info = stored_info(sample.record);
  const DecodeRequest request{.region = region, .channels = channels};
  const DecodePrice price = png_decode_price(info, request);
  Decoded out;
  out.pixels.assign(price.decoded_bytes, std::byte{0xA5});
  std::vector<std::byte> scratch(price.scratch_bytes, std::byte{0xA5});
  out.result = decoder.decode(sample.encoded, info, request, out.pixels, scratch, {});
  out.scratch_bytes = decoder.last_scratch_bytes();
  out.scratch_price_bytes = price.scratch_bytes;
  return out;
}

Decoded decode(const tests::SmallSample& sample) {
  PngDecoder decoder;
  return decode(decoder, sample, {0, 0, sample.record.width_px, sample.record.height_px},
                sample.record.components);
}

BOOST_AUTO_TEST_SUITE(png_decoder)

BOOST_AUTO_TEST_CASE(every_kind_and_region_gives_the_pixels_that_were_written_within_the_price) {
  PngDecoder reused;
  std::mt19937_64 random(3);
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  for (std::size_t kind_idx = 0; kind_idx < kKinds.size(); ++kind_idx) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      const std::uint32_t width_px = seed == 0 ? 3000 : 1 + below(90);
      const std::uint32_t height_px = 1 + below(seed == 0 ? 20 : 90);
      const PngPicture picture = png_picture(width_px, height_px, kKinds[kind_idx], seed);
      const std::uint32_t components = picture.sample.record.components;
      const bool is_whole = seed < 2;
      const RectPx region = [&]() -> RectPx {
        if (is_whole) return {0, 0, width_px, height_px};
        const std::uint32_t x = below(width_px);
        const std::uint32_t y = below(height_px);
        return {x, y, 1 + below(width_px - x), 1 + below(height_px - y)};
      }();
      const Decoded decoded = decode(reused, picture.sample, region, components);
      BOOST_TEST_INFO("kind " << kind_idx << ", seed " << seed << ", " << width_px << " x "
                              << height_px << ", took " << decoded.scratch_bytes << " of "
                              << decoded.scratch_price_bytes);
      BOOST_REQUIRE_MESSAGE(decoded.result.ok(), decoded.result.fault().detail());
      const DecodedView& view = decoded.result.value();
      BOOST_REQUIRE((view.region == region));
      for (std::uint32_t y = 0; y < region.height; ++y) {
        const std::size_t first = (std::size_t{region.y + y} * width_px + region.x) * components;
        BOOST_REQUIRE(std::memcmp(view.image.row(y), &picture.pixels[first],
                                  std::size_t{region.width} * components) == 0);
      }
    }
  }
}

// ITU-R BT.601: Y = 0.299 R + 0.587 G + 0.114 B.
BOOST_AUTO_TEST_CASE(rgb_becomes_gray_by_its_luma_and_gray_becomes_rgb) {
  PngDecoder decoder;
  const PngPicture colour = png_picture(30, 20, {PNG_COLOR_TYPE_RGB, 8, false}, 1);
  const Decoded as_gray = decode(decoder, colour.sample, {2, 3, 20, 10}, 1);
  BOOST_REQUIRE(as_gray.result.ok());
  for (std::uint32_t y = 0; y < 10; ++y) {
    for (std::uint32_t x = 0; x < 20; ++x) {
      const std::uint8_t* rgb = &colour.pixels[((y + 3) * 30 + x + 2) * 3];
      const double luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
      BOOST_REQUIRE(std::abs(as_gray.result.value().image.row(y)[x] - luma) <= 0.501);
    }
  }
  const PngPicture gray = png_picture(30, 20, {PNG_COLOR_TYPE_GRAY, 8, true}, 1);
  const Decoded as_rgb = decode(decoder, gray.sample, {0, 0, 30, 20}, 3);
  BOOST_REQUIRE(as_rgb.result.ok());
  for (std::size_t i = 0; i < as_rgb.pixels.size(); ++i) {
    BOOST_REQUIRE(std::to_integer<std::uint8_t>(as_rgb.pixels[i]) == gray.pixels[i / 3]);
  }
}

BOOST_AUTO_TEST_CASE(every_cut_and_every_flipped_byte_of_the_picture_is_a_fault) {
  for (const bool is_interlaced : {false, true}) {
    const PngPicture whole = png_picture(33, 21, {PNG_COLOR_TYPE_RGB, 8, is_interlaced}, 3);
    BOOST_TEST(decode(whole.sample).result.ok());
    for (std::size_t at = 0; at < whole.sample.encoded.size(); ++at) {
      auto cut = whole.sample;
      cut.encoded.resize(at);
      BOOST_TEST_INFO("first " << at << " of " << whole.sample.encoded.size() << " bytes");
      BOOST_REQUIRE(!decode(cut).result.ok());
      // A flipped byte of the picture is a fault; in a chunk that is passed over it costs nothing.
      auto flipped = whole.sample;
      flipped.encoded[at] ^= std::byte{0xFF};
      const Decoded decoded = decode(flipped);
      if (!decoded.result.ok()) continue;
      BOOST_REQUIRE(std::memcmp(decoded.pixels.data(), whole.pixels.data(), whole.pixels.size()) ==
                    0);
    }
  }
}

// CRC-32 of the PNG specification (ISO/IEC 15948), annex D, bit by bit.
std::uint32_t crc_of(std::span<const std::byte> bytes) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const std::byte b : bytes) {
    crc ^= std::to_integer<std::uint32_t>(b);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
  }
  return ~crc;
}

// The pixels are compressed with their own sum, the last four bytes of IDAT, under the chunk's CRC.
BOOST_AUTO_TEST_CASE(pixels_that_do_not_match_their_sum_are_a_fault_though_the_chunk_is_whole) {
  PngPicture picture = png_picture(33, 21, {PNG_COLOR_TYPE_RGB, 8, false}, 3);
  auto& bytes = picture.sample.encoded;
  const auto find = [&](const char* type) {
    const auto* const name = reinterpret_cast<const std::byte*>(type);
    return static_cast<std::size_t>(std::search(bytes.begin(), bytes.end(), name, name + 4) -
                                    bytes.begin());
  };
  const std::size_t data = find("IDAT");
  const std::size_t crc = find("IEND") - 8;
  const auto write_crc = [&] {
    const std::uint32_t value = crc_of(std::span(bytes).subspan(data, crc - data));
    for (int i = 0; i < 4; ++i) bytes[crc + i] = static_cast<std::byte>(value >> (24 - 8 * i));
  };
  write_crc();
  BOOST_TEST(decode(picture.sample).result.ok());
  bytes[crc - 1] ^= std::byte{1};
  write_crc();
  BOOST_TEST(!decode(picture.sample).result.ok());
}

BOOST_AUTO_TEST_CASE(a_picture_unlike_its_index_record_is_a_fault) {
  const auto detail_with = [](auto change) {
    PngPicture picture = png_picture(33, 21, {PNG_COLOR_TYPE_RGB, 8, true}, 3);
    change(picture.sample.record);
    return std::string(decode(picture.sample).result.fault().detail());
  };
  BOOST_TEST(detail_with([](IndexRecord& r) { r.height_px = 20; }) ==
             "the picture's sides are not those of the index");
  BOOST_TEST(detail_with([](IndexRecord& r) { r.components = 1; }) ==
             "the picture's components are not those of the index");
  BOOST_TEST(detail_with([](IndexRecord& r) { r.flags = 0; }) ==
             "the picture is interlaced, the index says it is not");
}

BOOST_AUTO_TEST_CASE(too_little_scratch_is_a_fault_not_a_crash) {
  const PngPicture picture = png_picture(200, 100, {PNG_COLOR_TYPE_RGB, 8, true}, 3);
  const StoredInfo info = stored_info(picture.sample.record);
  const DecodeRequest request{.region = {0, 0, 200, 100}};
  std::vector<std::byte> pixels(200 * 100 * 3);
  std::vector<std::byte> scratch(png_decode_price(info, request).scratch_bytes);
  PngDecoder decoder;
  std::size_t num_faults = 0;
  for (std::size_t bytes = 0; bytes < scratch.size(); bytes += 511) {
    if (!decoder
             .decode(picture.sample.encoded, info, request, pixels, std::span(scratch).first(bytes),
                     {})
             .ok()) {
      ++num_faults;
    }
  }
  BOOST_TEST(num_faults > 100u);
  BOOST_TEST(decoder.decode(picture.sample.encoded, info, request, pixels, scratch, {}).ok());
}

BOOST_AUTO_TEST_CASE(a_coarser_scale_a_region_outside_and_a_stop_are_faults) {
  const PngPicture picture = png_picture(20, 10, {}, 3);
  const StoredInfo info = stored_info(picture.sample.record);
  std::vector<std::byte> pixels(20 * 10 * 3);
  std::vector<std::byte> scratch(1 << 20);
  PngDecoder decoder;
  const auto detail = [&](const DecodeRequest& request, const std::stop_token& stop) {
    return std::string(decoder.decode(picture.sample.encoded, info, request, pixels, scratch, stop)
                           .fault()
                           .detail());
  };
  BOOST_TEST(detail({.region = {0, 0, 20, 10}, .decode_scale = 2}, {}) ==
             "PNG: expected decode scale 1, found a coarser one");
  BOOST_TEST(detail({.region = {20, 0, 1, 1}}, {}) == "the region lies outside the picture");
  std::stop_source stop;
  stop.request_stop();
  BOOST_TEST(detail({.region = {0, 0, 20, 10}}, stop.get_token()) == "stopped");
}

// Shown at its own size, a picture comes out of the loader as it was stored.
BOOST_AUTO_TEST_CASE(a_shard_of_png_samples_is_read_by_the_loader) {
  const tests::TemporaryFolder folder;
  std::vector<PngPicture> pictures;
  DatasetWriter writer(folder.path() / "d", {.class_names = {"even", "odd"}});
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    pictures.push_back(png_picture(24, 16, kKinds[i], i));
    const tests::SmallSample& made = pictures.back().sample;
    const NewSample described = new_png(made.encoded, {.class_idx = made.record.class_idx});
    BOOST_TEST(described.record.components == made.record.components);
    BOOST_TEST(described.record.flags == made.record.flags);
    writer.add("train", described);
  }
  writer.finish();
  const Dataset dataset = Dataset::open(folder.path() / "d");
  MemoryBudget budget(64u << 20);
  const BatchSpec spec{.batch = 4,
                       .height_px = 16,
                       .width_px = 24,
                       .element = ElementType::kUint8,
                       .layout = PixelLayout::kNhwc};
  Loader loader(dataset.split("train"), {.batch = spec}, std::make_shared<ResizeTransform>(),
                budget);
  std::size_t num_samples = 0;
  while (const BatchLease lease = loader.next()) {
    BOOST_TEST(lease->events.empty());
    for (std::uint32_t i = 0; i < lease->num_valid; ++i, ++num_samples) {
      const PngPicture& picture = pictures[lease->sample_ids[i]];
      const auto* found =
          reinterpret_cast<const std::uint8_t*>(lease->pixels) + i * spec.sample_bytes();
      for (std::size_t px = 0; px < 24u * 16; ++px) {
        for (std::size_t c = 0; c < 3; ++c) {
          const std::size_t expected = picture.sample.record.components == 1 ? px : 3 * px + c;
          BOOST_REQUIRE(found[3 * px + c] == picture.pixels[expected]);
        }
      }
    }
  }
  BOOST_TEST(num_samples == kKinds.size());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
