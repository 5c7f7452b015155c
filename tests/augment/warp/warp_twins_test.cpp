// Random maps of random pictures: the fast ways against the slow one, on every vector unit.
#include <hwy/targets.h>

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "augment/warp/low_halves.h"
#include "augment/warp/warp_kernel.h"
#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

using Bytes = std::vector<std::byte>;
using Values = std::vector<float>;

/// A random picture within a larger block of bytes, and a random map to sample it with.
struct RandomJob {
  std::vector<std::uint8_t> bytes;
  BatchSpec spec;
  WarpJob job;
};

RandomJob random_job(std::mt19937_64& random) {
  const auto between = [&](std::uint32_t lo, std::uint32_t hi) {
    return lo + static_cast<std::uint32_t>(random() % (hi - lo + 1));
  };
  const auto real = [&](double lo, double hi) {
    return std::uniform_real_distribution<double>(lo, hi)(random);
  };
  RandomJob r;
  const std::uint32_t channels = random() % 2 == 0 ? 3 : 1;
  r.spec = spec_of({between(1, 20), between(1, 20)}, channels,
                   random() % 2 == 0 ? PixelLayout::kNchw : PixelLayout::kNhwc);
  const SizePx size{between(1, 40), between(1, 40)};
  const std::uint32_t image_channels = random() % 4 == 0 ? 1 : channels;
  const std::uint32_t stride = image_channels + between(0, 2);  // up to 5: beyond the fast way
  r.bytes.resize((std::size_t{size.width} * size.height - 1) * stride + image_channels);
  for (std::uint8_t& byte : r.bytes) byte = static_cast<std::uint8_t>(random());
  const std::uint32_t scale = 1u << between(0, 3);
  r.job.stored = {size.width * scale - between(0, scale - 1),
                  size.height * scale - between(0, scale - 1)};
  r.job.decoded = {{r.bytes.data(), size.width, size.height, image_channels, stride,
                    std::size_t{size.width} * stride},
                   {0, 0, size.width, size.height},
                   scale};
  const double reach = random() % 8 == 0 ? 1e9 : 3;
  AffineMap& map = r.job.map;
  map = {.xx = real(-reach, reach),
         .x0 = real(-60, 60),
         .yy = real(-reach, reach),
         .y0 = real(-60, 60)};
  const std::uint64_t kind = random() % 3;
  if (kind > 0) {
    map.xy = real(-reach, reach);
    map.yx = real(-reach, reach);
  }
  if (kind > 1) map.xx = map.yy = 0;  // a quarter turn, as EXIF 5 to 8 give
  r.job.fill_mode = static_cast<FillMode>(random() % 4);
  r.job.interpolation = static_cast<Interpolation>(random() % 4);
  for (ChannelScale& c : r.job.channels) {
    c = {static_cast<float>(real(0.001, 0.1)), static_cast<float>(real(-3, 3)), -99.0f};
  }
  return r;
}

/// Elements of any type that the job's interpolation writes. Of uint8, as pixels.
void take_any_element(RandomJob& r, std::mt19937_64& random) {
  const auto element = static_cast<ElementType>(random() % 4);
  if (!warps_into(element, r.job.interpolation)) return;
  r.spec.element = element;
  if (element != ElementType::kUint8) return;
  r.job.channels.fill({.gain = 1, .bias = 0, .fill = 76.5f});  // a half: 76
}

Bytes warp_bytes(RandomJob& r, std::size_t scratch_bytes) {
  Bytes out(r.spec.sample_bytes(), std::byte{0xC5});
  r.job.slot = {&r.spec, out.data()};
  std::vector<std::byte> scratch(scratch_bytes);
  warp(r.job, scratch);
  return out;
}

Bytes bytes_pixel_by_pixel(RandomJob& r) {
  Bytes out(r.spec.sample_bytes(), std::byte{0xC5});
  r.job.slot = {&r.spec, out.data()};
  warp_pixel_by_pixel(r.job);
  return out;
}

Values as_floats(const Bytes& bytes) {
  Values values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

Values run_warp(RandomJob& r, std::size_t scratch_bytes) {
  return as_floats(warp_bytes(r, scratch_bytes));
}

Values run_pixel_by_pixel(RandomJob& r) {
  return as_floats(bytes_pixel_by_pixel(r));
}

/// Wide enough for every way in which a vector of 16 pixels finds its neighbours: side by side, in
/// two to four vectors, or one by one; of a part of the picture, as a crop's decoder gives it.
RandomJob wide_job(std::mt19937_64& random) {
  const auto between = [&](std::uint32_t lo, std::uint32_t hi) {
    return lo + static_cast<std::uint32_t>(random() % (hi - lo + 1));
  };
  RandomJob r;
  const std::uint32_t channels = random() % 3 == 0 ? 1 : 3;
  r.spec = spec_of({between(1, 70), between(1, 9)}, channels,
                   random() % 2 == 0 ? PixelLayout::kNchw : PixelLayout::kNhwc);
  const std::uint32_t image_channels = random() % 4 == 0 ? 1 : channels;
  const SizePx part{between(1, 260), between(1, 12)};
  const std::size_t stride = std::size_t{part.width} * image_channels + between(0, 9);
  r.bytes.resize((part.height - 1) * stride + std::size_t{part.width} * image_channels);
  for (std::uint8_t& byte : r.bytes) byte = static_cast<std::uint8_t>(random());
  const SizePx corner{between(0, 30), between(0, 30)};
  r.job.stored = {corner.width + part.width + between(0, 30),
                  corner.height + part.height + between(0, 30)};
  r.job.decoded = {
      {r.bytes.data(), part.width, part.height, image_channels, image_channels, stride},
      {corner.width, corner.height, part.width, part.height},
      1};
  // Up to a little more than the part; whole pixels one time in four, which are copied.
  const auto axis = [&](std::uint32_t part_px, std::uint32_t output_px, std::uint32_t begin_px) {
    const bool is_whole = random() % 4 == 0;
    const double reach = is_whole ? 1 : static_cast<double>(part_px) / output_px;
    const double factor =
        is_whole ? 1 : reach * std::uniform_real_distribution<double>(0.05, 1.1)(random);
    const double offset =
        is_whole ? between(0, 5) : std::uniform_real_distribution<double>(0, 5)(random);
    const bool is_reversed = random() % 2 == 0;
    const double first = begin_px + (is_reversed ? part_px - 1 - offset : offset);
    return std::pair(is_reversed ? -factor : factor, first);
  };
  std::tie(r.job.map.xx, r.job.map.x0) = axis(part.width, r.spec.width_px, corner.width);
  std::tie(r.job.map.yy, r.job.map.y0) = axis(part.height, r.spec.height_px, corner.height);
  r.job.fill_mode = static_cast<FillMode>(random() % 4);
  r.job.interpolation = static_cast<Interpolation>(random() % 4);
  for (ChannelScale& c : r.job.channels) c = {0.017f, -2.1f, -99.0f};
  return r;
}

/// A turned or sheared map of a part of a picture, into rows of several blocks and vectors. One time in
/// four all positions lie on centres and edges of pixels.
RandomJob turned_job(std::mt19937_64& random) {
  RandomJob r = wide_job(random);
  const auto real = [&](double reach) {
    return std::uniform_real_distribution<double>(-reach, reach)(random);
  };
  r.spec.width_px = 1 + static_cast<std::uint32_t>(random() % 300);
  AffineMap& map = r.job.map;
  const RectPx& part = r.job.decoded.region;
  if (random() % 4 == 0) {
    const auto halves = [&] { return (static_cast<double>(random() % 9) - 4) / 2; };
    map = {halves(), halves(), part.x + halves(), halves(), halves(), part.y + halves()};
    if (random() % 2 == 0) map.x0 = part.x + part.width - 1 + halves();
    if (random() % 2 == 0) map.y0 = part.y + part.height - 1 + halves();
    return r;
  }
  // Most rows lie inside, some partly, over the whole part and beyond.
  const double reach = 2.0 * part.width / r.spec.width_px;
  map = {.xx = real(reach),
         .xy = real(2),
         .yx = real(2.0 * part.height / r.spec.width_px),
         .yy = real(2)};
  const double middle_x = (r.spec.width_px - 1) / 2.0;
  const double middle_y = (r.spec.height_px - 1) / 2.0;
  map.x0 = part.x + part.width / 2.0 + real(3) - map.xx * middle_x - map.xy * middle_y;
  map.y0 = part.y + part.height / 2.0 + real(1) - map.yx * middle_x - map.yy * middle_y;
  return r;
}

/// Restores the choice of the vector unit.
struct TargetForTest {
  explicit TargetForTest(std::int64_t target) { hwy::SetSupportedTargetsForTest(target); }
  ~TargetForTest() { hwy::SetSupportedTargetsForTest(0); }
};

/// Runs `check(target)` with each vector unit of this machine.
template <class Check>
void for_every_target(const Check& check) {
  for (std::int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1) {
    const std::int64_t target = left & -left;
    const TargetForTest chosen(target);
    check(target);
  }
}

BOOST_AUTO_TEST_SUITE(warp_twins)

// Under AddressSanitizer this is also the search for reads outside the picture.
BOOST_AUTO_TEST_CASE(the_fast_way_gives_the_bytes_of_the_slow_one_for_any_map) {
  constexpr std::uint64_t kSeed = 77001;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  for (int trial = 0; trial < 4000; ++trial) {
    RandomJob r = random_job(random);
    const Values slow = run_pixel_by_pixel(r);
    BOOST_REQUIRE_MESSAGE(run_warp(r, warp_scratch_bytes(r.spec, r.job.interpolation)) == slow,
                          "trial " << trial);
    BOOST_REQUIRE_MESSAGE(run_warp(r, random() % 512) == slow, "little scratch, trial " << trial);
    for (const float value : slow) {  // every element written: fill or a normalised byte
      BOOST_REQUIRE(value == -99.0f || (value >= -3.001f && value <= 28.6f));
    }
    take_any_element(r, random);
    BOOST_REQUIRE_MESSAGE(
        warp_bytes(r, random() % 512) == bytes_pixel_by_pixel(r),
        "little scratch, trial " << trial << ", element type " << static_cast<int>(r.spec.element));
  }
}

BOOST_AUTO_TEST_CASE(every_vector_unit_of_this_machine_gives_the_bytes_of_the_slow_way) {
  constexpr std::uint64_t kSeed = 77002;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  for_every_target([&](std::int64_t target) {
    std::mt19937_64 random(kSeed);
    for (int trial = 0; trial < 1500; ++trial) {
      RandomJob r = trial % 4 == 0   ? random_job(random)
                    : trial % 4 == 1 ? turned_job(random)
                                     : wide_job(random);
      take_any_element(r, random);
      BOOST_REQUIRE_MESSAGE(
          warp_bytes(r, warp_scratch_bytes(r.spec, r.job.interpolation)) == bytes_pixel_by_pixel(r),
          hwy::TargetName(target) << ", trial " << trial << ", element type "
                                  << static_cast<int>(r.spec.element));
    }
  });
}

BOOST_AUTO_TEST_CASE(lower_halves_are_those_of_the_slow_ways_floats) {
  constexpr std::uint64_t kSeed = 77005;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  for_every_target([&](std::int64_t target) {
    std::mt19937_64 random(kSeed);
    for (int trial = 0; trial < 900; ++trial) {
      RandomJob r = trial % 4 == 0   ? random_job(random)
                    : trial % 4 == 1 ? turned_job(random)
                                     : wide_job(random);
      r.spec.layout = PixelLayout::kNchw;
      // Values of 0 to 255 in units of 1/128.
      r.job.channels.fill({.gain = 128, .bias = kLowHalfBias, .fill = 7 * 128 + kLowHalfBias});
      const Values slow = run_pixel_by_pixel(r);
      Values place(slow.size(), -12345.0f);
      std::vector<std::byte> scratch(warp_scratch_bytes(r.spec, r.job.interpolation));
      r.job.slot = {&r.spec, reinterpret_cast<std::byte*>(place.data())};
      warp_low_halves(r.job, scratch);
      for (std::size_t i = 0; i < slow.size(); ++i) {
        std::int16_t found;
        std::memcpy(&found, reinterpret_cast<const std::byte*>(place.data()) + 2 * i, 2);
        BOOST_REQUIRE_MESSAGE(static_cast<float>(found) == slow[i] - kLowHalfBias,
                              hwy::TargetName(target)
                                  << ", trial " << trial << ", element " << i << ": " << found
                                  << " is not " << slow[i] - kLowHalfBias);
      }
    }
  });
}

// Pictures around the smallest that have 4 x 4 taps, and rows around whole vectors.
BOOST_AUTO_TEST_CASE(turned_bicubic_maps_give_the_bytes_of_the_slow_way_on_every_vector_unit) {
  constexpr std::uint64_t kSeed = 77004;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  for_every_target([&](std::int64_t target) {
    std::mt19937_64 random(kSeed);
    for (int trial = 0; trial < 500; ++trial) {
      RandomJob r = trial % 4 == 0 ? random_job(random) : turned_job(random);
      r.job.interpolation = Interpolation::kBicubic;
      const Values slow = run_pixel_by_pixel(r);
      const Values fast = run_warp(r, 0);
      for (std::size_t i = 0; i < slow.size(); ++i) {
        BOOST_REQUIRE_MESSAGE(fast[i] == slow[i], hwy::TargetName(target)
                                                      << ", trial " << trial << ", element " << i
                                                      << ": " << fast[i] << " is not " << slow[i]);
      }
    }
  });
}

// Batches above 8 MiB are written past the caches, where rows are whole vectors.
BOOST_AUTO_TEST_CASE(places_of_large_batches_get_the_same_bytes) {
  constexpr std::uint64_t kSeed = 77003;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  for_every_target([&](std::int64_t target) {
    std::mt19937_64 random(kSeed);
    for (int trial = 0; trial < 300; ++trial) {
      RandomJob r = trial % 3 == 0 ? turned_job(random) : wide_job(random);
      r.spec.width_px = trial % 4 == 0 ? 50 : 16 * (1 + r.spec.width_px % 4);
      r.spec.batch = 1u << 20;
      take_any_element(r, random);
      const std::size_t num_bytes = r.spec.sample_bytes();
      // From a cache line on, and one element behind it.
      constexpr std::byte kBeside{0xA7};
      Bytes place(num_bytes + 80, kBeside);
      void* aligned = place.data();
      std::size_t room = place.size();
      auto* const line = static_cast<std::byte*>(std::align(64, 64, aligned, room));
      std::byte* const first = line + (trial % 5 == 0 ? element_bytes(r.spec.element) : 0);
      std::vector<std::byte> scratch(warp_scratch_bytes(r.spec, r.job.interpolation));
      r.job.slot = {&r.spec, first};
      warp(r.job, scratch);
      BOOST_REQUIRE_MESSAGE(Bytes(first, first + num_bytes) == bytes_pixel_by_pixel(r),
                            hwy::TargetName(target) << ", trial " << trial << ", element type "
                                                    << static_cast<int>(r.spec.element));
      BOOST_REQUIRE(first[num_bytes] == kBeside);
    }
  });
}

// By hand. Output pixels lie at 0.5, 2.5 of every four and blend 0 and 1, 9 and 12: 0.5 is 0, 10.5 is 10.
// The picture ends behind 36 of 40: cval, 76.5. Rows of whole vectors and a rest.
BOOST_AUTO_TEST_CASE(pixels_of_uint8_batches_are_rounded_to_even_whatever_the_map) {
  constexpr std::uint8_t kPattern[] = {0, 1, 9, 12};
  std::vector<std::uint8_t> pixels(72);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = kPattern[i % 4];
  const TestPicture picture = gray_picture({72, 1}, pixels);
  Bytes expected(40, std::byte{76});
  for (std::size_t i = 0; i < 36; ++i) expected[i] = std::byte(i % 2 == 0 ? 0 : 10);
  for (const double turn : {0.0, 1e-30}) {  // too little to matter, and enough for the other ways
    RandomJob r;
    r.spec = spec_of({40, 1}, 1);
    r.spec.element = ElementType::kUint8;
    r.job = {.decoded = picture.decoded(),
             .map = {.xx = 2, .xy = turn, .x0 = 0.5},
             .stored = picture.size,
             .fill_mode = FillMode::kConstant};
    r.job.channels.fill({.gain = 1, .bias = 0, .fill = 76.5f});
    for_every_target(
        [&](std::int64_t) { BOOST_TEST(warp_bytes(r, warp_scratch_bytes(r.spec)) == expected); });
    BOOST_TEST(bytes_pixel_by_pixel(r) == expected);
  }
}

BOOST_AUTO_TEST_CASE(maps_without_sense_are_safe) {
  std::mt19937_64 random(3);
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity(), 1e300, -1e300, 0.0}) {
    for (int trial = 0; trial < 60; ++trial) {
      RandomJob r = trial % 5 < 2 ? turned_job(random) : random_job(random);
      (trial % 2 == 0 ? r.job.map.xx : r.job.map.x0) = value;
      (trial % 3 == 0 ? r.job.map.yy : r.job.map.y0) = value;
      take_any_element(r, random);
      BOOST_REQUIRE(warp_bytes(r, warp_scratch_bytes(r.spec, r.job.interpolation)) ==
                    bytes_pixel_by_pixel(r));
    }
  }
}

BOOST_AUTO_TEST_CASE(both_layouts_hold_the_same_values) {
  std::mt19937_64 random(4);
  for (int trial = 0; trial < 50; ++trial) {
    RandomJob r = random_job(random);
    r.spec.layout = PixelLayout::kNchw;
    const Values nchw = run_warp(r, warp_scratch_bytes(r.spec, r.job.interpolation));
    r.spec.layout = PixelLayout::kNhwc;
    const Values nhwc = run_warp(r, warp_scratch_bytes(r.spec, r.job.interpolation));
    const std::size_t plane = std::size_t{r.spec.width_px} * r.spec.height_px;
    for (std::size_t pixel = 0; pixel < plane; ++pixel) {
      for (std::size_t c = 0; c < r.spec.channels; ++c) {
        BOOST_REQUIRE(nchw[c * plane + pixel] == nhwc[pixel * r.spec.channels + c]);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
