#include "augment/warp/reduction.h"

#include <boost/test/unit_test.hpp>
#include <random>

#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

BOOST_AUTO_TEST_SUITE(reduction)

// The scratch is as large as the diagonal of the output says, whatever the picture and the map. (A picture
// of which only mirrored or wrapped ends are in sight may not fit, and goes pixel by pixel.)
BOOST_AUTO_TEST_CASE(what_is_seen_of_a_reduced_picture_fits_the_outputs_diagonal) {
  constexpr std::uint64_t kSeed = 6;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  const auto real = [&](double lo, double hi) {
    return std::uniform_real_distribution<double>(lo, hi)(random);
  };
  for (int trial = 0; trial < 5000; ++trial) {
    const SizePx output{static_cast<std::uint32_t>(1 + random() % 80),
                        static_cast<std::uint32_t>(1 + random() % 80)};
    const SizePx stored{static_cast<std::uint32_t>(1 + random() % 5000),
                        static_cast<std::uint32_t>(1 + random() % 5000)};
    const BatchSpec spec = spec_of(output, 3);
    const std::uint8_t pixel[3] = {};
    const WarpJob job{.decoded = {.image = {pixel, stored.width, stored.height, 3, 3, 0},
                                  .region = {0, 0, stored.width, stored.height}},
                      .map = sample_map({.rotation_rad = real(-4, 4),
                                         .shear_rad = real(-1, 1),
                                         .shift_px = {output.width * real(-0.4, 0.4),
                                                      output.height * real(-0.4, 0.4)},
                                         .zoom = {real(0.01, 5), real(0.01, 5)}},
                                        output, info_of(stored)),
                      .stored = stored,
                      .fill_mode = trial % 2 == 0 ? FillMode::kNearest : FillMode::kConstant,
                      .slot = {&spec, nullptr}};
    const Frame frame(job);
    const Reduction reduction(job, frame);
    const auto seen = reduction.seen_part(spec);
    BOOST_REQUIRE(seen.has_value());
    BOOST_REQUIRE_MESSAGE(seen->width <= reduced_side_px(spec), "trial " << trial);
    BOOST_REQUIRE_MESSAGE(seen->height <= reduced_side_px(spec), "trial " << trial);
    if (std::max(output.width, output.height) > 3 * std::min(output.width, output.height)) continue;
    const std::size_t num_px = std::size_t{seen->width} * seen->height;
    BOOST_REQUIRE_MESSAGE(num_px <= reduced_capacity_px(spec), "trial " << trial);
  }
}

// By hand: a picture of w x h turned by any angle and resized to W x H is w / W times larger along rows
// and h / H times along columns, so its reduction has W x H pixels, however that is rounded.
BOOST_AUTO_TEST_CASE(a_turned_picture_is_reduced_to_the_outputs_own_sides) {
  constexpr std::uint64_t kSeed = 7;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  for (int trial = 0; trial < 5000; ++trial) {
    const auto side = [&](std::uint32_t most) {
      return 1 + static_cast<std::uint32_t>(random() % most);
    };
    const SizePx output{side(60), side(60)};
    const SizePx stored{output.width + side(200), output.height + side(200)};
    const BatchSpec spec = spec_of(output, 1);
    const std::uint8_t pixel = 0;
    const double angle_rad = std::uniform_real_distribution<double>(-3, 3)(random);
    const WarpJob job{.decoded = {.image = {&pixel, stored.width, stored.height, 1, 1, 0},
                                  .region = {0, 0, stored.width, stored.height}},
                      .map = sample_map({.rotation_rad = angle_rad}, output, info_of(stored)),
                      .stored = stored,
                      .slot = {&spec, nullptr}};
    const Reduction reduction(job, Frame(job));
    BOOST_REQUIRE_MESSAGE(reduction.x.reduced.length == output.width, "trial " << trial);
    BOOST_REQUIRE_MESSAGE(reduction.y.reduced.length == output.height, "trial " << trial);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
