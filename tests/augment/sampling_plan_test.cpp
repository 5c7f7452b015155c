#include "augment/sampling_plan.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <utility>

#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

BOOST_AUTO_TEST_SUITE(sampling_plan)

// By hand, 4 x 2 output of an 8 x 6 picture: flip x' = 3 - x; zoom 2 about 1.5 and 0.5: x' = 2x -
// 1.5, y' = 2y - 0.5; shift (1, -1); resize x' = 2x + 0.5, y' = 3y + 1.
// x: 3 - x -> 4.5 - 2x -> 5.5 - 2x -> 11.5 - 4x. y: 2y - 0.5 -> 2y - 1.5 -> 6y - 3.5.
BOOST_AUTO_TEST_CASE(the_map_walks_flip_zoom_shift_resize) {
  const AugmentDraws drawn{.is_flipped = true, .shift_px = {1, -1}, .zoom = {2, 2}};
  const AffineMap map = sample_map(drawn, {4, 2}, info_of({8, 6}));
  BOOST_TEST(map.xx == -4.0);
  BOOST_TEST(map.x0 == 11.5);
  BOOST_TEST(map.yy == 6.0);
  BOOST_TEST(map.y0 == -3.5);
  BOOST_TEST(map.is_separable());
}

// The same, stored turned (EXIF 6 of a stored 6 x 8 picture): stored x = upright y, stored y = 7 -
// upright x.
BOOST_AUTO_TEST_CASE(the_orientation_comes_last) {
  const AugmentDraws drawn{.is_flipped = true, .shift_px = {1, -1}, .zoom = {2, 2}};
  const AffineMap map = sample_map(drawn, {4, 2}, info_of({6, 8}, 6));
  BOOST_TEST(map.xy == 6.0);
  BOOST_TEST(map.x0 == -3.5);
  BOOST_TEST(map.yx == 4.0);
  BOOST_TEST(map.y0 == -4.5);
}

BOOST_AUTO_TEST_CASE(the_decode_scale_is_the_largest_power_not_above_the_smallest_shrinking) {
  const auto scale_of = [](double x, double y, std::uint32_t max_scale = 8) {
    return choose_decode_scale(singular_values({.xx = x, .yy = y}).smallest, DecodeScaling::kAuto,
                               max_scale);
  };
  BOOST_TEST(scale_of(0.5, 9) == 1u);
  BOOST_TEST(scale_of(1.999, 9) == 1u);
  BOOST_TEST(scale_of(2, 9) == 2u);
  BOOST_TEST(scale_of(-9, 3.9) == 2u);
  BOOST_TEST(scale_of(4, 4) == 4u);
  BOOST_TEST(scale_of(100, 7.99) == 4u);
  BOOST_TEST(scale_of(8, 100) == 8u);
  BOOST_TEST(scale_of(1000, 1000) == 8u);
  BOOST_TEST(scale_of(1000, 1000, 4) == 4u);
  BOOST_TEST(scale_of(3, 3, 1) == 1u);
  BOOST_TEST(choose_decode_scale(8, DecodeScaling::kOff, 8) == 1u);
}

// By hand: 10 pixels of a row of 10, shifted by 3, are seen at 3 to 12. Mirrored, 10 to 12 lie at 9 to 7,
// so nothing below 3 is touched; wrapped, at 0 to 2.
BOOST_AUTO_TEST_CASE(what_comes_again_beside_the_picture_belongs_to_the_region) {
  const auto columns = [](double shift, FillMode mode) {
    const RectPx region = source_region(
        {.map = shift_map({shift, 0}), .output = {10, 1}, .stored = {10, 1}, .fill_mode = mode});
    return std::pair(region.x, region.x + region.width);
  };
  BOOST_CHECK(columns(3, FillMode::kNearest) == std::pair(2u, 10u));
  BOOST_CHECK(columns(3, FillMode::kReflect) == std::pair(2u, 10u));
  BOOST_CHECK(columns(8, FillMode::kReflect) == std::pair(1u, 10u));  // 17 is seen at 2
  BOOST_CHECK(columns(-8, FillMode::kReflect) == std::pair(0u, 10u));
  BOOST_CHECK(columns(-8, FillMode::kNearest) == std::pair(0u, 4u));
  BOOST_CHECK(columns(25, FillMode::kReflect) == std::pair(0u, 10u));
  BOOST_CHECK(columns(3, FillMode::kWrap) == std::pair(0u, 10u));
  BOOST_CHECK(columns(0, FillMode::kWrap) == std::pair(0u, 10u));
}

// By hand: a reduced picture of 200 pixels at steps of 5 has its first pixel's centre at 2 and its last's
// at 197; what lies beside them is blended with the other end.
BOOST_AUTO_TEST_CASE(a_reduced_picture_that_wraps_has_its_seam_between_its_own_pixels) {
  const auto num_columns = [](double first, FillMode mode) {
    return source_region({.map = {.xx = 5, .xy = 1e-6, .x0 = first, .yx = 1e-6, .yy = 5, .y0 = 50},
                          .output = {20, 20},
                          .stored = {200, 200},
                          .fill_mode = mode,
                          .interpolation = Interpolation::kBilinearAntialias})
        .width;
  };
  BOOST_TEST(num_columns(1, FillMode::kWrap) == 200u);    // 1 to 96
  BOOST_TEST(num_columns(103, FillMode::kWrap) == 200u);  // to 198
  BOOST_TEST(num_columns(20, FillMode::kWrap) < 130u);
  BOOST_TEST(num_columns(1, FillMode::kReflect) < 130u);
}

// By hand: 97 x 1 at scale 8 are 12.125 pixels, stored as 13. The picture ends at 11.625, before the centre
// of its last pixel, and goes on with its first.
BOOST_AUTO_TEST_CASE(a_part_of_a_pixel_at_the_end_is_followed_by_the_seam) {
  const auto num_columns = [](double last) {
    return source_region({.map = {.xx = 8, .x0 = 3.5 + 8 * (last - 9)},
                          .output = {10, 1},
                          .stored = {97, 1},
                          .decode_scale = 8,
                          .fill_mode = FillMode::kWrap})
        .width;
  };
  BOOST_TEST(num_columns(11.6) < 97u);
  BOOST_TEST(num_columns(11.65) == 97u);
}

// By hand: 2 x 2 of 100 x 50 without zoom samples columns 24.5, 74.5 and rows 12, 37: neighbours 24
// to 75 and 12 to 38, and one more on each side.
BOOST_AUTO_TEST_CASE(the_region_is_what_is_touched_and_one_pixel_more) {
  const AffineMap map = resize_map({.output = {2, 2}, .source = {100, 50}});
  const RectPx region = source_region({.map = map, .output = {2, 2}, .stored = {100, 50}});
  BOOST_TEST((region == RectPx{23, 11, 54, 29}),
             region.x << " " << region.y << " " << region.width << " " << region.height);
}

// By hand at scale 8, 20 columns become 3: position 1.1 touches decoded pixels 1 and 2, one more to
// the left is 0, to the right there is none; the picture ends at 20, not at 24.
BOOST_AUTO_TEST_CASE(the_region_ends_with_the_picture) {
  const AffineMap map{.xx = 8, .x0 = 1.6 * 8 - 0.5, .yy = 8, .y0 = 1.6 * 8 - 0.5};
  const RectPx region =
      source_region({.map = map, .output = {1, 1}, .stored = {20, 20}, .decode_scale = 8});
  BOOST_TEST((region == RectPx{0, 0, 20, 20}));
}

BOOST_AUTO_TEST_CASE(a_map_that_misses_the_picture_asks_for_its_edge) {
  const AffineMap far_right{.x0 = 1e6, .y0 = -1e6};
  const RectPx region = source_region({.map = far_right, .output = {5, 5}, .stored = {100, 50}});
  BOOST_TEST((region == RectPx{98, 0, 2, 3}),
             region.x << " " << region.y << " " << region.width << " " << region.height);
}

/// Cuts the region out of a picture, as a decoder that decodes no more than asked for.
struct Cut {
  TestPicture picture;
  DecodedView decoded;
};

Cut cut_out(const TestPicture& whole, const RectPx& region_full, std::uint32_t scale) {
  const std::uint32_t x0 = region_full.x / scale;
  const std::uint32_t y0 = region_full.y / scale;
  const std::uint32_t x1 = (region_full.x + region_full.width + scale - 1) / scale;
  const std::uint32_t y1 = (region_full.y + region_full.height + scale - 1) / scale;
  Cut cut;
  cut.picture = {{}, {x1 - x0, y1 - y0}, whole.channels};
  for (std::uint32_t y = y0; y < y1; ++y) {
    const std::uint8_t* row = whole.view().row(y);
    cut.picture.bytes.insert(cut.picture.bytes.end(), row + x0 * whole.channels,
                             row + x1 * whole.channels);
  }
  cut.decoded = {cut.picture.view(), {x0, y0, x1 - x0, y1 - y0}, scale};
  return cut;
}

BOOST_AUTO_TEST_CASE(decoding_the_region_alone_gives_the_bytes_of_the_whole_picture) {
  constexpr std::uint64_t kSeed = 20240611;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  const auto between = [&](std::uint32_t lo, std::uint32_t hi) {
    return lo + static_cast<std::uint32_t>(random() % (hi - lo + 1));
  };
  int num_cut = 0;
  for (std::uint64_t trial = 0; trial < 1600; ++trial) {
    const SizePx stored{between(1, 150), between(1, 150)};
    const BatchSpec spec = spec_of({between(1, 24), between(1, 24)}, 3);
    const AugmentTransform transform(
        {.horizontal_flip = 0.5,
         .width_shift_range = 0.6,
         .height_shift_range = 0.6,
         .zoom_range = {.lo = 0.1, .hi = 1},
         // Nearly upright maps see one end of the picture alone.
         .rotation_range = trial % 3 == 0 ? 0.0 : (trial % 3 == 1 ? 0.5 : 180.0),
         .fill_mode = static_cast<FillMode>(trial % 4),
         .interpolation = static_cast<Interpolation>(trial / 4 % 4)});
    const SampleInfo info = info_of(stored, static_cast<std::uint8_t>(between(1, 8)));
    const Draws draws({.seed = kSeed, .position = trial});
    const SamplePlan plan = transform.plan(info, spec, draws);
    const RectPx& region = plan.source_region;
    BOOST_REQUIRE(region.width >= 1u);
    BOOST_REQUIRE(region.height >= 1u);
    BOOST_REQUIRE(region.x + region.width <= stored.width);
    BOOST_REQUIRE(region.y + region.height <= stored.height);

    const TestPicture whole = noise_picture(decoded_size(stored, plan.decode_scale), 3, random);
    const Cut cut = cut_out(whole, region, plan.decode_scale);
    if (cut.picture.bytes.size() < whole.bytes.size()) ++num_cut;
    BOOST_REQUIRE_MESSAGE(
        transform_picture(transform, whole.decoded(plan.decode_scale), info, spec, draws) ==
            transform_picture(transform, cut.decoded, info, spec, draws),
        "trial " << trial);
  }
  BOOST_TEST(num_cut > 400);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
