#include "augment/warp/filter_halves.h"

#include <hwy/targets.h>

#include <boost/test/unit_test.hpp>
#include <random>
#include <utility>
#include <vector>

#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

FilterPositions halves_of(std::uint32_t length, double offset) {
  const Axis axis{.last = length - 1.0, .extent = static_cast<double>(length), .length = length};
  return {.filter = {axis, Interpolation::kBilinearAntialias, 2}, .factor = 2, .offset = offset};
}

FilterPass pass_of(const FilterPositions& rows, const FilterPositions& columns) {
  return {.rows = rows, .columns = columns, .lines = {0, 40}, .pixels = {0, 50}};
}

/// A part of a picture in which outputs are halves, mirrored or not, now and then up to three pixels
/// beside it.
struct HalvedJob {
  BatchSpec spec;
  std::vector<std::uint8_t> bytes;
  WarpJob job;
};

HalvedJob halved_job(std::mt19937_64& random) {
  const auto between = [&](std::uint32_t lo, std::uint32_t hi) {
    return lo + static_cast<std::uint32_t>(random() % (hi - lo + 1));
  };
  HalvedJob h;
  h.spec = spec_of({between(15, 90), between(3, 9)}, random() % 8 == 0 ? 1 : 3,
                   random() % 2 == 0 ? PixelLayout::kNchw : PixelLayout::kNhwc);
  const std::uint32_t channels = random() % 8 == 0 ? 1 : h.spec.channels;
  const SizePx part{2 * h.spec.width_px + between(0, 3), 2 * h.spec.height_px + between(0, 3)};
  const SizePx corner{between(0, 3), between(0, 3)};
  const std::size_t stride = std::size_t{part.width} * channels + between(0, 9);
  h.bytes.resize((part.height - 1) * stride + std::size_t{part.width} * channels);
  for (std::uint8_t& byte : h.bytes) byte = static_cast<std::uint8_t>(random());
  h.job.stored = {corner.width + part.width + between(0, 3),
                  corner.height + part.height + between(0, 3)};
  h.job.decoded = {{h.bytes.data(), part.width, part.height, channels, channels, stride},
                   {corner.width, corner.height, part.width, part.height},
                   1};
  const auto axis = [&](std::uint32_t begin_px, std::uint32_t output_px) {
    const double first = begin_px + between(0, 3) - (random() % 4 == 0 ? 2.5 : 0.5) + 1;
    const double factor = random() % 8 == 0 ? 1.999 : 2;
    if (random() % 2 == 0) return std::pair(factor, first);
    return std::pair(-factor, first + factor * (output_px - 1));
  };
  std::tie(h.job.map.xx, h.job.map.x0) = axis(corner.width, h.spec.width_px);
  std::tie(h.job.map.yy, h.job.map.y0) = axis(corner.height, h.spec.height_px);
  h.job.fill_mode = static_cast<FillMode>(random() % 4);
  h.job.interpolation = Interpolation::kBilinearAntialias;
  for (std::size_t c = 0; c < 3; ++c) {
    h.job.channels[c] = {0.017f + 0.001f * static_cast<float>(c), -2.1f, -99.0f};
  }
  return h;
}

template <class Warp>
std::vector<float> warped(HalvedJob& h, const Warp& warp) {
  std::vector<float> out(h.spec.sample_bytes() / sizeof(float), -12345.0f);
  h.job.slot = {&h.spec, reinterpret_cast<std::byte*>(out.data())};
  warp(h.job);
  return out;
}

BOOST_AUTO_TEST_SUITE(filter_halves)

// By hand: of 100 pixels, the first half of the output takes -1 to 2, the last 97 to 100.
BOOST_AUTO_TEST_CASE(the_outermost_pixels_are_not_whole) {
  const auto part = find_halved_part(pass_of(halves_of(80, 0.5), halves_of(100, 0.5)));
  BOOST_REQUIRE(part.has_value());
  BOOST_TEST(part->lines.begin == 1u);
  BOOST_TEST(part->lines.end == 39u);
  BOOST_TEST(part->pixels.begin == 1u);
  BOOST_TEST(part->pixels.end == 49u);
  const auto inner = find_halved_part(pass_of(halves_of(84, 2.5), halves_of(104, 1.5)));
  BOOST_REQUIRE(inner.has_value());
  BOOST_TEST(inner->lines.end - inner->lines.begin == 40u);
  BOOST_TEST(inner->pixels.end - inner->pixels.begin == 50u);
}

BOOST_AUTO_TEST_CASE(other_steps_phases_and_filters_have_no_halves) {
  const FilterPositions rows = halves_of(80, 0.5);
  const FilterPositions good = halves_of(100, 0.5);
  FilterPositions step = good;
  step.factor = 2.0001;
  FilterPositions cubic = good;
  cubic.filter.is_cubic = true;
  for (const FilterPositions& columns : {step, cubic, halves_of(100, 0.501), halves_of(100, -1.5),
                                         halves_of(98, 0.5), halves_of(100, 1e300)}) {
    BOOST_TEST(!find_halved_part(pass_of(rows, columns)));
    FilterPass other = pass_of(columns, rows);
    std::swap(other.lines, other.pixels);
    BOOST_TEST(!find_halved_part(other));
  }
}

// By hand: in a ramp of 2 x + y the middle of four pixels is 2 (2 x + 0.5) + (2 y + 0.5).
BOOST_AUTO_TEST_CASE(a_ramp_stays_a_ramp) {
  HalvedJob h{.spec = spec_of({20, 8}, 3, PixelLayout::kNhwc), .bytes = {}, .job = {}};
  for (std::uint32_t i = 0; i < 16 * 40; ++i) {
    for (std::uint32_t c = 0; c < 3; ++c) {
      h.bytes.push_back(static_cast<std::uint8_t>(2 * (i % 40) + i / 40 + 50 * c));
    }
  }
  h.job.stored = {40, 16};
  h.job.decoded = {{h.bytes.data(), 40, 16, 3, 3, 120}, {0, 0, 40, 16}, 1};
  h.job.map = {.xx = 2, .x0 = 0.5, .yy = 2, .y0 = 0.5};
  h.job.interpolation = Interpolation::kBilinearAntialias;
  h.job.channels.fill({.gain = 1, .bias = 0});
  std::vector<std::byte> scratch(warp_scratch_bytes(h.spec, h.job.interpolation));
  const std::vector<float> out = warped(h, [&](const WarpJob& job) { warp(job, scratch); });
  for (std::uint32_t y = 1; y < 7; ++y) {
    for (std::uint32_t x = 1; x < 19; ++x) {
      for (std::uint32_t c = 0; c < 3; ++c) {
        BOOST_TEST(out[(y * 20 + x) * 3 + c] ==
                   static_cast<float>(4 * x + 1 + 2 * y + 0.5 + 50 * c));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_vector_unit_gives_the_bytes_of_the_slow_way) {
  constexpr std::uint64_t kSeed = 77021;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  for (std::int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1) {
    const std::int64_t target = left & -left;
    hwy::SetSupportedTargetsForTest(target);
    std::mt19937_64 random(kSeed);
    for (int trial = 0; trial < 500; ++trial) {
      HalvedJob h = halved_job(random);
      std::vector<std::byte> scratch(
          trial % 9 == 0 ? random() % 9000 : warp_scratch_bytes(h.spec, h.job.interpolation));
      BOOST_CHECK_MESSAGE(warped(h, [&](const WarpJob& job) { warp(job, scratch); }) ==
                              warped(h, [](const WarpJob& job) { warp_pixel_by_pixel(job); }),
                          hwy::TargetName(target) << ", trial " << trial);
    }
    hwy::SetSupportedTargetsForTest(0);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
