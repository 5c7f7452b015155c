// The ceiling does the engine's work: same pixels.
#include "tools/bench/bare_jpeg.h"

#include <boost/test/unit_test.hpp>
#include <random>

#include "streamer/read/decoder_set.h"
#include "streamer/read/jpeg_decoder.h"
#include "streamer/shard/index_page.h"
#include "tests/streamer/small_dataset.h"

namespace penstock::tools::bench {
namespace {

struct Decoded {
  std::vector<std::byte> pixels;
  DecodedView view;
};

Decoded decode_by_engine(const tests::SmallSample& sample, const JpegCut& cut) {
  const StoredInfo stored = stored_info(sample.record);
  const DecodeRequest request{.region = cut.region, .decode_scale = cut.scale, .channels = 3};
  const DecodePrice price = decode_price(stored, request);
  std::vector<std::byte> scratch(price.scratch_bytes);
  Decoded decoded{std::vector<std::byte>(price.decoded_bytes), {}};
  JpegDecoder decoder;
  const auto result = decoder.decode(sample.encoded, stored, request, decoded.pixels, scratch, {});
  BOOST_REQUIRE(result.ok());
  decoded.view = result.value();
  return decoded;
}

BOOST_AUTO_TEST_SUITE(bare_jpeg)

BOOST_AUTO_TEST_CASE(whole_pictures_have_the_engines_pixels) {
  BareJpeg bare;
  for (const std::uint32_t scale : {1u, 2u, 4u, 8u}) {
    const tests::SmallSample sample = tests::jpeg_sample(163, 97, scale);
    const JpegCut cut{.region = {0, 0, 163, 97}, .scale = scale};
    const Decoded engine = decode_by_engine(sample, cut);
    std::vector<std::byte> pixels(163 * 97 * 3);
    BOOST_REQUIRE(bare.decode_whole(sample.encoded, cut, pixels));
    const ImageView& image = engine.view.image;
    for (std::uint32_t y = 0; y < image.height_px; ++y) {
      const auto* row =
          reinterpret_cast<const std::uint8_t*>(pixels.data()) + y * image.width_px * 3;
      BOOST_REQUIRE(std::equal(row, row + image.width_px * 3, image.row(y)));
    }
  }
}

// What lies at the left of a cut may differ by libjpeg's blocks, and one column beside them is
// upsampled from a neighbour that is not there; so cuts from the left edge are compared.
BOOST_AUTO_TEST_CASE(cuts_have_the_engines_pixels) {
  constexpr std::uint64_t kSeed = 5101;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  BareJpeg bare;
  for (int trial = 0; trial < 20; ++trial) {
    const tests::SmallSample sample = tests::jpeg_sample(200, 150, random());
    const std::uint32_t top = 2 * static_cast<std::uint32_t>(random() % 50);
    const JpegCut cut{.region = {0, top, 200, 20 + static_cast<std::uint32_t>(random() % 30)}};
    const Decoded engine = decode_by_engine(sample, cut);
    std::vector<std::byte> pixels(200 * 150 * 3);
    BOOST_REQUIRE(bare.decode_cut(sample.encoded, cut, pixels));
    for (std::uint32_t y = 0; y < cut.region.height; ++y) {
      const auto* row = reinterpret_cast<const std::uint8_t*>(pixels.data()) + y * 200 * 3;
      BOOST_REQUIRE_MESSAGE(std::equal(row, row + 200 * 3, engine.view.image.row(y)),
                            "trial " << trial << ", row " << y);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_picture_is_refused_and_the_next_one_is_read) {
  BareJpeg bare;
  tests::SmallSample sample = tests::jpeg_sample(40, 30, 1);
  const JpegCut cut{.region = {0, 0, 40, 30}};
  std::vector<std::byte> pixels(40 * 30 * 3);
  const std::vector<std::byte> nonsense(100);
  BOOST_TEST(!bare.decode_whole(nonsense, cut, pixels));
  BOOST_TEST(!bare.decode_cut(nonsense, cut, pixels));
  BOOST_TEST(bare.decode_whole(sample.encoded, cut, pixels));
  BOOST_TEST(!bare.decode_whole(sample.encoded, cut, std::span(pixels).first(100)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools::bench
