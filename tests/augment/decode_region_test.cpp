// What the transform makes of the part that it asked for, against what it makes of the whole.
#include <array>
#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

#include "augment/augment_transform.h"
#include "streamer/read/decoder_set.h"
#include "tests/streamer/small_dataset.h"

namespace penstock::augment {
namespace {

struct Case {
  tests::SmallSample sample;
  SampleInfo info;
  BatchSpec spec;
  AugmentConfig config;
};

Case draw_case(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  Case drawn;
  const std::uint32_t width_px = 1 + below(200);
  const std::uint32_t height_px = 1 + below(200);
  drawn.sample =
      below(4) == 0
          ? tests::raw_sample(width_px, height_px, seed)
          : tests::jpeg_sample(width_px, height_px, seed,
                               {.subsampling = static_cast<fixtures::ChromaSubsampling>(below(5)),
                                .is_progressive = below(3) == 0},
                               below(5) == 0 ? 1 : 3);
  drawn.info = {.width_px = width_px,
                .height_px = height_px,
                .orientation = static_cast<std::uint8_t>(1 + below(8)),
                .max_decode_scale =
                    DecoderSet::max_decode_scale(static_cast<Codec>(drawn.sample.record.codec))};
  drawn.spec = {.batch = 1,
                .height_px = 1 + below(60),
                .width_px = 1 + below(60),
                .channels = below(4) == 0 ? 1u : 3u,
                .layout = below(2) == 0 ? PixelLayout::kNchw : PixelLayout::kNhwc};
  // From far inside the picture to far outside.
  const double zoom = std::uniform_real_distribution(0.05, 2.5)(random);
  drawn.config = {.horizontal_flip = 0.5,
                  .width_shift_range = std::uniform_real_distribution(0.0, 0.9)(random),
                  .height_shift_range = std::uniform_real_distribution(0.0, 0.9)(random),
                  .zoom_range = {.lo = zoom * 0.8, .hi = zoom * 1.2},
                  .rotation_range = std::array{0.0, 0.0, 1.0, 180.0}[below(4)],
                  .shear_range = below(3) == 0 ? 50.0 : 0.0,
                  .center_crop = below(4) == 0 ? 0.6 : 0.0,
                  .fill_mode = static_cast<FillMode>(below(4)),
                  .cval = 77,
                  .interpolation = static_cast<Interpolation>(below(4)),
                  .decode_scaling = below(4) == 0 ? DecodeScaling::kOff : DecodeScaling::kAuto};
  return drawn;
}

/// Decodes `region`; the bytes around what is handed out are `garbage`.
std::vector<std::byte> batch_of(const Case& c, const SampleTransform& transform,
                                const SamplePlan& plan, RectPx region, std::byte garbage) {
  DecoderSet decoders;
  const StoredInfo stored = stored_info(c.sample.record);
  const DecodeRequest request{
      .region = region, .decode_scale = plan.decode_scale, .channels = c.spec.channels};
  const DecodePrice price = decode_price(stored, request);
  std::vector<std::byte> pixels(price.decoded_bytes, garbage);
  std::vector<std::byte> scratch(
      std::max<std::size_t>(price.scratch_bytes + 64, plan.scratch_bytes), garbage);
  const auto decoded =
      decoders.find(stored.codec)->decode(c.sample.encoded, stored, request, pixels, scratch, {});
  BOOST_REQUIRE_MESSAGE(decoded.ok(), decoded.fault().detail());
  std::vector<std::byte> batch(c.spec.sample_bytes());
  transform.apply(decoded.value(), plan, scratch, {.spec = &c.spec, .pixels = batch.data()});
  return batch;
}

BOOST_AUTO_TEST_SUITE(decode_region)

BOOST_AUTO_TEST_CASE(the_part_that_was_asked_for_gives_the_bytes_of_the_whole_picture) {
  std::uint64_t num_parts = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Case c = draw_case(seed);
    const AugmentTransform transform(c.config);
    const SamplePlan plan = transform.plan(c.info, c.spec, Draws({.seed = seed}));
    const RectPx whole{0, 0, c.info.width_px, c.info.height_px};
    const bool is_equal = batch_of(c, transform, plan, plan.source_region, std::byte{0xEE}) ==
                          batch_of(c, transform, plan, whole, std::byte{0});
    BOOST_REQUIRE_MESSAGE(
        is_equal, "seed " << seed << ", region " << plan.source_region.x << ", "
                          << plan.source_region.y << ", " << plan.source_region.width << " x "
                          << plan.source_region.height << " of " << whole.width << " x "
                          << whole.height << ", scale 1/" << plan.decode_scale << ", fill "
                          << fill_mode_name(c.config.fill_mode));
    if (!(plan.source_region == whole)) ++num_parts;
  }
  BOOST_TEST(num_parts > 70u);  // else the plans ask for too much
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
