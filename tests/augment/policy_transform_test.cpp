// TrivialAugment and RandAugment through the whole transform, against the twin in double precision.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <set>

#include "augment/warp/reference_warp.h"
#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

/// One random sample in units of bytes, through the transform and through the twin.
struct Comparison {
  std::vector<float> fused;
  std::vector<double> twin;
  AugmentDraws drawn;
};

struct Trial {
  AugmentConfig config;
  SizePx stored;
  SizePx output;
  std::uint32_t channels = 3;
  std::uint64_t position = 0;
};

Comparison compare(const Trial& trial, std::mt19937_64& random) {
  const AugmentTransform transform(trial.config);
  const BatchSpec spec = spec_of(trial.output, trial.channels,
                                 random() % 2 == 0 ? PixelLayout::kNchw : PixelLayout::kNhwc);
  const SampleInfo info = info_of(trial.stored);
  const Draws draws({.seed = random(), .position = trial.position});
  const std::uint32_t scale = transform.plan(info, spec, draws).decode_scale;
  const TestPicture picture =
      noise_picture(decoded_size(trial.stored, scale), trial.channels, random);
  const AugmentDraws drawn = draw_augmentation(trial.config, {trial.output, trial.stored}, draws);
  return {.fused = transform_picture(transform, picture.decoded(scale), info, spec, draws),
          .twin = augment::reference_warp({.config = trial.config,
                                           .drawn = drawn,
                                           .info = info,
                                           .spec = spec,
                                           .image = picture.view(),
                                           .decode_scale = scale}),
          .drawn = drawn};
}

std::size_t num_apart(const Comparison& c, double tolerance) {
  BOOST_REQUIRE(c.fused.size() == c.twin.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < c.fused.size(); ++i) {
    if (!(std::abs(c.fused[i] - c.twin[i]) <= tolerance)) ++count;
  }
  return count;
}

BOOST_AUTO_TEST_SUITE(policy_transform)

// On the picture's own pixels, and pixels moved by whole numbers, all before the first colour step is
// exact, and one step on bytes is so too: linear ones leave ten float32 roundings of 255.
BOOST_AUTO_TEST_CASE(one_operation_without_resampling_equals_the_twin) {
  constexpr std::uint64_t kSeed = 9090;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  std::set<PolicyOperation> seen;
  for (std::uint64_t position = 0; position < 1500; ++position) {
    const auto side = [&] { return 1 + static_cast<std::uint32_t>(random() % 40); };
    const SizePx size{side(), side()};
    const Trial trial{.config = {.horizontal_flip = 0.5,
                                 .auto_augment = AutoAugment::kTrivialAugmentWide,
                                 .fill_mode = FillMode::kConstant,
                                 .rescale = 1},
                      .stored = size,
                      .output = size,
                      .channels = random() % 3 == 0 ? 1u : 3u,
                      .position = position};
    const Comparison c = compare(trial, random);
    const PolicyOperation operation = c.drawn.policy.steps().front().operation;
    seen.insert(operation);
    const bool is_resampled = operation == PolicyOperation::kShearX ||
                              operation == PolicyOperation::kShearY ||
                              operation == PolicyOperation::kRotate;
    if (is_resampled) continue;  // reference_warp_test compares these
    BOOST_REQUIRE_MESSAGE(num_apart(c, 10 * 0x1p-24 * 255) == 0, policy_operation_name(operation)
                                                                     << ", position " << position);
  }
  BOOST_TEST(seen.size() == kNumPolicyOperations);
}

// Steps on bytes jump where float32 and float64 round to two sides of a half, and what follows may
// stretch it: a few values in ten thousand are further apart than rounding.
BOOST_AUTO_TEST_CASE(operations_after_any_geometry_and_colours_equal_the_twin_but_for_ties) {
  constexpr std::uint64_t kSeed = 9091;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  std::size_t num_values = 0;
  std::size_t num_far = 0;
  for (std::uint64_t position = 0; position < 1500; ++position) {
    const auto side = [&] { return 1 + static_cast<std::uint32_t>(random() % 60); };
    const bool is_jittered = random() % 2 == 0;
    const DrawRange factors = is_jittered ? DrawRange{0.6, 1.4} : DrawRange{};
    const Trial trial{
        .config = {.horizontal_flip = 0.5,
                   .zoom_range = {.lo = 0.8, .hi = 1.2},
                   .random_resized_crop = random() % 2 == 0,
                   .brightness_range = factors,
                   .contrast_range = factors,
                   .saturation_range = factors,
                   .hue_range = is_jittered ? 0.1 : 0,
                   .auto_augment = AutoAugment::kRandAugment,
                   .rand_augment_ops = 1 + static_cast<std::uint32_t>(random() % 7),
                   .rand_augment_magnitude = static_cast<std::uint32_t>(random() % 31),
                   .fill_mode = static_cast<FillMode>(random() % 4),
                   .cval = 30,
                   .rescale = 1},
        .stored = {side(), side()},
        .output = {side(), side()},
        .channels = random() % 3 == 0 ? 1u : 3u,
        .position = position};
    const Comparison c = compare(trial, random);
    num_values += c.fused.size();
    // Hue at the end is in fixed point: within a quarter of a level (colour/fixed_tail_test.cpp).
    const ColourSteps steps = colour_steps_of(c.drawn);
    const bool ends_with_hue = !steps.empty() && steps.steps().back().kind == ColourStepKind::kHue;
    num_far += num_apart(c, ends_with_hue ? 0.25 : 0.01);
  }
  BOOST_TEST_MESSAGE(num_far << " of " << num_values << " values are apart");
  BOOST_TEST(static_cast<double>(num_far) < 1e-3 * static_cast<double>(num_values));
}

// By hand: from the drawn threshold on a value is 255 less itself.
BOOST_AUTO_TEST_CASE(what_is_drawn_is_what_is_seen) {
  const TestPicture picture = gray_picture({4, 1}, {10, 100, 180, 250});
  const AugmentConfig config{.auto_augment = AutoAugment::kTrivialAugmentWide, .rescale = 1};
  const AugmentTransform transform(config);
  int num_seen = 0;
  for (std::uint64_t position = 0; position < 300; ++position) {
    const Draws draws({.position = position});
    const AugmentDraws drawn = draw_augmentation(config, {{4, 1}, {4, 1}}, draws);
    const auto [operation, amount] = drawn.policy.steps().front();
    if (operation != PolicyOperation::kSolarize) continue;
    ++num_seen;
    const std::vector<float> out =
        transform_picture(transform, picture.decoded(), info_of({4, 1}), spec_of({4, 1}, 1), draws);
    for (std::size_t i = 0; i < 4; ++i) {
      const float before = picture.bytes[i];
      BOOST_TEST(out[i] == (before >= amount ? 255 - before : before));
    }
  }
  BOOST_TEST(num_seen > 5);
}

BOOST_AUTO_TEST_CASE(evaluation_draws_no_operation) {
  std::mt19937_64 random(3);
  const TestPicture picture = noise_picture({20, 20}, 3, random);
  const AugmentConfig config{.auto_augment = AutoAugment::kRandAugment, .rescale = 1};
  const AugmentTransform still(config.without_randomness());
  for (std::uint64_t position = 0; position < 20; ++position) {
    const std::vector<float> out =
        transform_picture(still, picture.decoded(), info_of({20, 20}), spec_of({20, 20}, 3),
                          Draws({.position = position}));
    for (std::size_t i = 0; i < out.size(); ++i) BOOST_REQUIRE(out[i] == picture.bytes[i]);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
