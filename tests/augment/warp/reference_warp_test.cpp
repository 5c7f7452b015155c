// The fused pass against its slow twin, over random settings, sizes, orientations and layouts.
#include "augment/warp/reference_warp.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

#include "tests/augment/element_values.h"
#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

/// One random sample, run through the transform and through the twin.
struct Comparison {
  std::vector<double> fused;
  std::vector<double> twin;
  double tolerance = 0;      // of float32
  double element_share = 0;  // of a value, lost in rounding to the batch's elements
  double element_step = 0;   // likewise, whatever the value
  Interpolation interpolation = Interpolation::kBilinear;
  double level = 0;         // one level of a byte, normalised
  double longest_px = 0;    // of the decoded picture
  bool is_rounded = false;  // to bytes on the way
  bool is_byte = false;
  bool has_hue = false;
};

Comparison compare(std::mt19937_64& random, std::uint64_t trial) {
  const auto between = [&](std::uint32_t lo, std::uint32_t hi) {
    return lo + static_cast<std::uint32_t>(random() % (hi - lo + 1));
  };
  const auto real = [&](double lo, double hi) {
    return std::uniform_real_distribution<double>(lo, hi)(random);
  };
  const double zoom = real(0.2, 1.5);
  AugmentConfig config = {
      .horizontal_flip = 0.5,
      .vertical_flip = random() % 2 == 0 ? 0.5 : 0,
      .width_shift_range = random() % 4 == 0 ? real(1, 30) : real(0, 0.9),
      .height_shift_range = random() % 4 == 0 ? real(1, 30) : real(0, 0.9),
      .zoom_range = {.lo = zoom, .hi = zoom + real(0, 2)},
      .rotation_range = random() % 3 == 0 ? real(0, 360) : 0,
      .shear_range = random() % 3 == 0 ? real(0, 80) : 0,
      .random_resized_crop = random() % 3 == 0,
      .center_crop = random() % 4 == 0 ? real(0.01, 1) : 0,
      .random_crop_padding = random() % 3 == 0 ? between(0, 9) : 0,
      .auto_augment = static_cast<AutoAugment>(random() % 3),
      .rand_augment_ops = between(1, 3),
      .rand_augment_magnitude = between(0, 30),
      .fill_mode = static_cast<FillMode>(random() % 4),
      .cval = real(0, 255),
      .mean = {real(0, 1), real(0, 1), real(0, 1)},
      .std = {real(0.1, 1), real(0.1, 1), real(0.1, 1)},
      .decode_scaling = random() % 4 == 0 ? DecodeScaling::kOff : DecodeScaling::kAuto};
  config.interpolation = static_cast<Interpolation>(random() % 4);
  double growth = 1;  // the largest value on the way, in units of 255
  // Colours follow what was sampled, however: with one way of sampling is enough.
  if (config.interpolation == Interpolation::kBilinear && random() % 2 == 0) {
    const auto factors = [&]() -> DrawRange {
      if (random() % 3 == 0) return {};
      const double lo = real(0, 1.5);
      return {.lo = lo, .hi = lo + real(0, 1)};
    };
    config.channel_shift_range = random() % 3 == 0 ? real(0, 100) : 0;
    config.brightness_range = factors();
    config.contrast_range = factors();
    config.saturation_range = factors();
    config.hue_range = random() % 2 == 0 ? real(0, 0.5) : 0;
    growth = 2 * std::max(1.0, config.brightness_range.hi) * (2 * config.contrast_range.hi + 1) *
             (2 * config.saturation_range.hi + 1);
  }
  config.random_erasing = random() % 3 == 0 ? 0.5 : 0;
  // Thin and tiny pictures often: 1 x 1, 1 x N, N x 1.
  const bool is_filtered = config.interpolation > Interpolation::kNearest;
  const auto side = [&] { return random() % 4 == 0 ? 1 : between(1, is_filtered ? 90 : 200); };
  const SizePx stored{side(), side()};
  const auto output_side = [&] { return random() % 8 == 0 ? 1 : between(1, 32); };
  const SizePx output{output_side(), output_side()};
  BatchSpec spec = spec_of(output, random() % 3 == 0 ? 1 : 3,
                           random() % 2 == 0 ? PixelLayout::kNchw : PixelLayout::kNhwc);
  spec.element = static_cast<ElementType>(random() % 4);
  if (spec.element == ElementType::kUint8) config.mean = {}, config.std = {1, 1, 1};
  config.random_erasing_value = spec.element == ElementType::kUint8 ? 77 : real(-3, 3);
  const SampleInfo info = info_of(stored, static_cast<std::uint8_t>(1 + trial % 8));
  Draws draws({.seed = random(), .epoch = between(0, 9), .position = trial});
  // Of policies geometry only: their steps on bytes jump, and are compared in policy_transform_test.
  const auto draws_colours = [&] {
    ColourSteps steps;
    add_policy_colours(draw_policy(config, output, draws).steps(), steps);
    return !steps.empty();
  };
  while (draws_colours()) draws = Draws({.seed = random(), .position = trial});

  const AugmentTransform transform(config);
  const std::uint32_t scale = transform.plan(info, spec, draws).decode_scale;
  const TestPicture picture = noise_picture(decoded_size(stored, scale), spec.channels, random);
  Comparison result;
  result.fused = element_values(
      transform_bytes(transform, picture.decoded(scale), info, spec, draws), spec.element);
  result.twin = reference_warp(
      {.config = config,
       .drawn = draw_augmentation(config, {output, upright_size(stored, info.orientation)}, draws),
       .info = info,
       .spec = spec,
       .image = picture.view(),
       .decode_scale = scale});
  // Float32 has 2^-24 of relative rounding. A value passes through about ten roundings (weights,
  // three blends, gain, bias) at a magnitude of at most 255 * gain + |bias|.
  const double smallest_std = *std::min_element(config.std.begin(), config.std.end());
  const double largest = spec.element == ElementType::kUint8 ? 255 : 2.0 / smallest_std;
  // A matrix adds about eight more at the largest value on its way.
  result.tolerance = (10 + (growth > 1 ? 20 + 8 * growth : 0)) * 0x1p-24 * largest;
  // Half of the last place: 11 binary digits, of at least 2^-24; 8 digits; whole numbers.
  if (spec.element == ElementType::kFloat16) result.element_share = 0x1p-11;
  if (spec.element == ElementType::kFloat16) result.element_step = 0x1p-25;
  if (spec.element == ElementType::kBfloat16) result.element_share = 0x1p-8;
  if (spec.element == ElementType::kUint8) result.element_step = 0.5;
  // Where bytes are blended in whole numbers, at most what fixed_point_test.cpp has.
  result.is_byte = spec.element == ElementType::kUint8;
  if (result.is_byte && config.interpolation == Interpolation::kBilinear) {
    result.tolerance += 2 * 255 * 0x1p-15 + 2 * 0x1p-8;
  }
  result.interpolation = config.interpolation;
  result.level = spec.element == ElementType::kUint8 ? 1 : 1 / 255.0 / smallest_std;
  // In fixed point, but for gray pictures: within a quarter of a level.
  result.has_hue = config.hue_range > 0 && spec.channels == 3;
  if (result.has_hue) result.tolerance += 0.25 * result.level;
  result.longest_px = std::max(picture.size.width, picture.size.height);
  result.is_rounded = config.interpolation == Interpolation::kBilinearAntialias &&
                      (config.rotation_range > 0 || config.shear_range > 0 ||
                       config.auto_augment != AutoAugment::kNone);
  return result;
}

/// Errors in levels of a byte.
struct Tally {
  double num_values = 0;
  double num_ties = 0;
  double sum = 0;
  double worst = 0;
};

// Nearest: the twin's pixel, but for ties. With filters, weights of rows are whole multiples of 2^-14:
// an error of at most half of one for every step of up to 255 levels between rows. The reduced picture
// of turned maps is rounded to bytes, where such an error makes one level of a half.
void compare_others(const Comparison& c, std::uint64_t trial, Tally& tally) {
  const double step = 0.5 * 255 / 16384 * c.level;
  const double tolerance =
      c.interpolation == Interpolation::kNearest
          ? c.tolerance
          : c.tolerance + step * (c.longest_px + 1) + (c.is_rounded ? c.level : 0);
  for (std::size_t i = 0; i < c.fused.size(); ++i) {
    const double rounded = c.element_step + c.element_share * (std::abs(c.twin[i]) + tolerance);
    const double error = std::max(0.0, std::abs(c.fused[i] - c.twin[i]) - rounded);
    ++tally.num_values;
    if (c.interpolation == Interpolation::kNearest) {
      if (error > tolerance) ++tally.num_ties;
      continue;
    }
    tally.sum += error / c.level;
    tally.worst = std::max(tally.worst, error / c.level);
    BOOST_REQUIRE_MESSAGE(error <= tolerance, "trial " << trial << ", interpolation "
                                                       << interpolation_name(c.interpolation)
                                                       << ", element " << i << ": " << c.fused[i]
                                                       << " is not " << c.twin[i]);
  }
}

BOOST_AUTO_TEST_SUITE(reference_warp)

BOOST_AUTO_TEST_CASE(the_fused_pass_equals_its_twin_but_for_float_rounding) {
  constexpr std::uint64_t kSeed = 5150;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  double worst = 0;
  Tally bytes;  // against the twin's bytes
  std::array<Tally, 4> others{};
  Tally hues{};
  for (std::uint64_t trial = 0; trial < 4000; ++trial) {
    const Comparison c = compare(random, trial);
    BOOST_REQUIRE(c.fused.size() == c.twin.size());
    if (c.interpolation != Interpolation::kBilinear) {
      compare_others(c, trial, others[static_cast<std::size_t>(c.interpolation)]);
      continue;
    }
    for (std::size_t i = 0; i < c.fused.size(); ++i) {
      const double error = std::abs(c.fused[i] - c.twin[i]);
      const double rounded = c.element_step + c.element_share * (std::abs(c.twin[i]) + c.tolerance);
      const double tolerance = c.tolerance + rounded;
      if (c.has_hue) {
        ++hues.num_values;
        hues.sum += std::max(0.0, error - rounded) / c.level;
      } else {
        worst = std::max(worst, error / tolerance);
      }
      if (c.is_byte && !c.has_hue) {
        const double apart =
            std::abs(c.fused[i] - std::nearbyint(std::clamp(c.twin[i], 0.0, 255.0)));
        ++bytes.num_values;
        bytes.sum += apart;
        bytes.worst = std::max(bytes.worst, apart);
      }
      BOOST_REQUIRE_MESSAGE(error <= tolerance, "trial " << trial << ", element " << i << ": "
                                                         << c.fused[i] << " is not " << c.twin[i]);
    }
  }
  BOOST_TEST_MESSAGE("largest error: " << worst << " of the tolerance");
  BOOST_TEST_MESSAGE("uint8: " << bytes.num_values << " values, largest error " << bytes.worst
                               << ", mean " << bytes.sum / bytes.num_values);
  BOOST_TEST(bytes.worst <= 1);
  BOOST_TEST(bytes.sum < 0.1 * bytes.num_values);
  BOOST_TEST_MESSAGE("hue: mean error " << hues.sum / hues.num_values << " levels");
  BOOST_TEST(hues.sum < 0.1 * hues.num_values);
  for (const Tally& tally : others) {
    if (tally.num_values == 0) continue;
    BOOST_TEST_MESSAGE("others: " << tally.num_values << " values, largest error " << tally.worst
                                  << " levels, mean " << tally.sum / tally.num_values << ", ties "
                                  << tally.num_ties);
    // Positions on the border of two pixels, which rounding may give to either.
    BOOST_TEST(tally.num_ties < 0.002 * tally.num_values);
    BOOST_TEST(tally.sum < 0.1 * tally.num_values);
  }
}

// The twin itself, by hand. A 3 x 1 picture 10 20 30 with zoom 2 about 1, shifted by 0.5 pixels,
// flipped: positions 2, 1, 0 become 3, 1, -1 and then 3.5, 1.5, -0.5, which is just inside.
// Scaled by 1/10, less 1, over 2.
BOOST_AUTO_TEST_CASE(the_twin_itself_gives_what_the_hand_gives) {
  const TestPicture picture = gray_picture({3, 1}, {10, 20, 30});
  const std::vector<double> out =
      augment::reference_warp({.config = {.fill_mode = FillMode::kConstant,
                                          .cval = 50,
                                          .rescale = 0.1,
                                          .mean = {1, 0, 0},
                                          .std = {2, 1, 1}},
                               .drawn = {.is_flipped = true, .shift_px = {0.5, 0}, .zoom = {2, 1}},
                               .info = info_of({3, 1}),
                               .spec = spec_of({3, 1}, 1),
                               .image = picture.view()});
  BOOST_TEST(out.size() == 3u);
  BOOST_TEST(out[0] == (5.0 - 1) / 2, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(out[1] == (2.5 - 1) / 2, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(out[2] + 1 == (1.0 - 1) / 2 + 1, boost::test_tools::tolerance(1e-12));
}

// By hand: the window of columns 1 and 2 of 10 20 30 40, stretched to four pixels, lies at 0.75, 1.25,
// 1.75, 2.25: what is beyond the window's edge is still the picture.
BOOST_AUTO_TEST_CASE(a_window_is_stretched_edges_on_edges) {
  const TestPicture picture = gray_picture({4, 1}, {10, 20, 30, 40});
  const std::vector<double> expected = {17.5, 22.5, 27.5, 32.5};
  const std::vector<double> out = augment::reference_warp({.config = {.rescale = 1},
                                                           .drawn = {.crop = {1, 0, 2, 1}},
                                                           .info = info_of({4, 1}),
                                                           .spec = spec_of({4, 1}, 1),
                                                           .image = picture.view()});
  BOOST_TEST(out == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
