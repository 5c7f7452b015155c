#include "augment/colour/tone_steps.h"

#include <hwy/targets.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <stop_token>
#include <vector>

#include "augment/colour/reference_tone.h"
#include "tests/augment/test_canvas.h"

namespace penstock::augment {
namespace {

using Values = std::vector<float>;

struct Shape {
  std::uint32_t channels;
  std::uint32_t height_px;
  std::uint32_t width_px;
};

/// Runs one step over an aligned copy; scratch has the bytes asked for and no more, and both are
/// blocks of their own, so that AddressSanitizer sees a step outside.
Values after_step(const ColourStep& step, const Shape& shape, const Values& values) {
  struct Free {
    void operator()(float* block) const { std::free(block); }
  };
  const std::size_t bytes = values.size() * sizeof(float);
  const std::unique_ptr<float, Free> block(
      static_cast<float*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64)));
  std::memcpy(block.get(), values.data(), bytes);
  std::vector<std::byte> scratch(tone_scratch_bytes(shape.width_px));
  apply_tone_step(step,
                  {.values = block.get(),
                   .channels = shape.channels,
                   .height_px = shape.height_px,
                   .width_px = shape.width_px},
                  scratch);
  return {block.get(), block.get() + values.size()};
}

Values reference_step(const ColourStep& step, const Shape& shape, const Values& values) {
  const ReferencePicture out = reference_tone_step(
      step, {{values.begin(), values.end()}, shape.channels, shape.height_px, shape.width_px});
  return {out.values.begin(), out.values.end()};
}

/// The result of step and twin.
void check(const ColourStep& step, const Shape& shape, const Values& values,
           const Values& expected) {
  BOOST_TEST(after_step(step, shape, values) == expected, boost::test_tools::per_element());
  BOOST_TEST(reference_step(step, shape, values) == expected, boost::test_tools::per_element());
}

template <class Check>
void for_every_target(const Check& check) {
  for (std::int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1) {
    const std::int64_t target = left & -left;
    hwy::SetSupportedTargetsForTest(target);
    check(target);
  }
  hwy::SetSupportedTargetsForTest(0);
}

const Shape kSevenByFive{1, 5, 7};
const Values kPicture = {7,   89,  229, 176, 181, 244, 114, 42,  28,  72,  174, 83,
                         50,  75,  158, 48,  247, 2,   66,  188, 117, 104, 149, 1,
                         162, 130, 156, 240, 131, 80,  87,  152, 24,  205, 193};

BOOST_AUTO_TEST_SUITE(tone_steps)

// Expected values of these cases: torchvision 0.29.2 (torch 2.15.0), transforms.functional on the same
// uint8 tensors.
BOOST_AUTO_TEST_CASE(posterize_keeps_the_highest_bits) {
  check({ColourStepKind::kPosterize, 3}, kSevenByFive, kPicture,
        {0,  64,  224, 160, 160, 224, 96,  32,  0,   64,  160, 64, 32, 64,  128, 32,  224, 0,
         64, 160, 96,  96,  128, 0,   160, 128, 128, 224, 128, 64, 64, 128, 0,   192, 192});
  check({ColourStepKind::kPosterize, 0}, kSevenByFive, kPicture, Values(35, 0));
  check({ColourStepKind::kPosterize, 8}, kSevenByFive, kPicture, kPicture);
}

BOOST_AUTO_TEST_CASE(solarize_inverts_from_the_threshold_on) {
  check({ColourStepKind::kSolarize, 128}, kSevenByFive, kPicture,
        {7,  89, 26,  79,  74,  11, 114, 42,  28, 72, 81,  83, 50, 75,  97, 48, 8, 2,
         66, 67, 117, 104, 106, 1,  93,  125, 99, 15, 124, 80, 87, 103, 24, 50, 62});
  check({ColourStepKind::kSolarize, 76.5f}, kSevenByFive, kPicture,
        {7,  166, 26,  79,  74,  11, 141, 42,  28, 72, 81,  172, 50,  75,  97, 48, 8, 2,
         66, 67,  138, 151, 106, 1,  93,  125, 99, 15, 124, 175, 168, 103, 24, 50, 62});
  check({ColourStepKind::kSolarize, 256}, kSevenByFive, kPicture, kPicture);
}

BOOST_AUTO_TEST_CASE(auto_contrast_stretches_to_the_whole_range) {
  const Values narrow = {35,  84,  168, 136, 139, 177, 99, 56,  47,  74,  135, 80,
                         61,  76,  125, 59,  179, 32,  70, 143, 101, 93,  120, 31,
                         128, 109, 124, 175, 109, 79,  83, 122, 45,  154, 146};
  check({ColourStepKind::kAutoContrast, 0}, kSevenByFive, narrow,
        {6,  91,  236, 180, 186, 251, 117, 43,  27,  74,  179, 84, 51, 77,  161, 48,  255, 1,
         67, 192, 120, 106, 153, 0,   167, 134, 160, 248, 134, 82, 89, 156, 24,  211, 198});
}

BOOST_AUTO_TEST_CASE(equalize_spreads_the_histogram) {
  const Values bytes = {0, 3, 10, 40, 41, 90, 200, 201, 255};
  const std::vector<std::size_t> counts = {70, 5, 300, 64, 1, 128, 90, 400, 44};
  const Values even = {0, 18, 19, 94, 110, 110, 142, 165, 255};
  Values picture;
  Values expected;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    picture.insert(picture.end(), counts[i], bytes[i]);
    expected.insert(expected.end(), counts[i], even[i]);
  }
  check({ColourStepKind::kEqualize, 0}, {1, 1, static_cast<std::uint32_t>(picture.size())}, picture,
        expected);
  // Fewer than 255 pixels beside those of the highest value: torchvision leaves them.
  check({ColourStepKind::kEqualize, 0}, kSevenByFive, kPicture, kPicture);
}

BOOST_AUTO_TEST_CASE(sharpness_blends_with_the_smoothed_picture) {
  check({ColourStepKind::kSharpness, 0}, kSevenByFive, kPicture,
        {7,  89,  229, 176, 181, 244, 114, 42,  79,  104, 148, 115, 101, 75,  158, 80,  144, 73,
         98, 143, 117, 104, 123, 72,  117, 123, 149, 240, 131, 80,  87,  152, 24,  205, 193});
  check({ColourStepKind::kSharpness, 0.5f}, kSevenByFive, kPicture,
        {7,  89,  229, 176, 181, 244, 114, 42,  53,  88,  161, 99, 75, 75,  158, 64,  195, 37,
         82, 165, 117, 104, 136, 36,  139, 126, 152, 240, 131, 80, 87, 152, 24,  205, 193});
  check({ColourStepKind::kSharpness, 1}, kSevenByFive, kPicture, kPicture);
  check({ColourStepKind::kSharpness, 1.75f}, kSevenByFive, kPicture,
        {7,  89,  229, 176, 181, 244, 114, 42,  0,   48,  193, 59, 11, 75,  158, 24,  255, 0,
         42, 221, 117, 104, 168, 0,   195, 135, 161, 240, 131, 80, 87, 152, 24,  205, 193});
}

BOOST_AUTO_TEST_CASE(pictures_of_one_value_stay_as_they_are) {
  const Shape shape{3, 20, 30};
  for (const float value : {0.0f, 1.0f, 77.0f, 255.0f}) {
    const Values flat(1800, value);
    check({ColourStepKind::kAutoContrast, 0}, shape, flat, flat);
    check({ColourStepKind::kEqualize, 0}, shape, flat, flat);
    check({ColourStepKind::kSharpness, 0.5f}, shape, flat, flat);
  }
}

BOOST_AUTO_TEST_CASE(each_channel_goes_by_itself) {
  const Shape shape{3, 1, 2};
  check({ColourStepKind::kAutoContrast, 0}, shape, {10, 20, 30, 40, 50, 50},
        {0, 255, 0, 255, 50, 50});
}

// torchvision: no pixel has neighbours on all sides.
BOOST_AUTO_TEST_CASE(sharpness_leaves_pictures_of_two_rows_or_columns) {
  const Values values = {10, 200, 30, 0, 255, 60};
  for (const Shape& shape : {Shape{1, 2, 3}, Shape{1, 3, 2}, Shape{1, 1, 6}, Shape{3, 1, 2}}) {
    check({ColourStepKind::kSharpness, 0}, shape, values, values);
  }
}

// By hand: halves go to the even neighbour, what lies outside to the border.
BOOST_AUTO_TEST_CASE(values_are_rounded_and_clamped_first) {
  const Values values = {-3, -0.5f, 0.5f, 1.5f, 2.4999f, 254.5f, 255.5f, 9000, 100};
  const Values whole = {0, 0, 0, 2, 2, 254, 255, 255, 100};
  for (const ColourStep& step : {ColourStep{ColourStepKind::kPosterize, 8},
                                 {ColourStepKind::kSolarize, 256},
                                 {ColourStepKind::kAutoContrast, 0},
                                 {ColourStepKind::kEqualize, 0},
                                 {ColourStepKind::kSharpness, 1}}) {
    check(step, {1, 3, 3}, values, whole);
    check(step, {1, 1, 9}, values, whole);
  }
}

/// Any picture: of few values or many, in a part of the range or beyond it.
Values random_values(const Shape& shape, std::mt19937_64& random) {
  const auto real = [&](double lo, double hi) {
    return std::uniform_real_distribution<double>(lo, hi)(random);
  };
  Values values(std::size_t{shape.channels} * shape.height_px * shape.width_px);
  const double lo = real(-20, 200);
  const double hi = real(lo, 280);
  const bool is_whole = random() % 2 == 0;
  for (float& value : values) {
    const double drawn = real(lo, hi);
    value = static_cast<float>(is_whole ? std::floor(drawn * 2) / 2 : drawn);
  }
  return values;
}

ColourStep random_step(std::mt19937_64& random) {
  const auto kind = static_cast<ColourStepKind>(
      static_cast<std::size_t>(ColourStepKind::kPosterize) + random() % 5);
  switch (kind) {
    case ColourStepKind::kPosterize:
      return {kind, static_cast<float>(random() % 9)};
    case ColourStepKind::kSolarize:
      return {kind, static_cast<float>(random() % 513) / 2};
    default:
      return {kind, static_cast<float>(random() % 2001) / 1000};
  }
}

BOOST_AUTO_TEST_CASE(every_vector_unit_of_this_machine_gives_the_values_of_the_twin) {
  constexpr std::uint64_t kSeed = 5150;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  for_every_target([&](std::int64_t target) {
    std::mt19937_64 random(kSeed);
    const auto side = [&](std::uint32_t most) {
      return 1 + static_cast<std::uint32_t>(random() % most);
    };
    for (int trial = 0; trial < 1200; ++trial) {
      const Shape shape{random() % 2 == 0 ? 1u : 3u, side(trial % 3 == 0 ? 3 : 12),
                        side(trial % 5 == 0 ? 3 : 75)};
      const Values values = random_values(shape, random);
      const ColourStep step = random_step(random);
      BOOST_REQUIRE_MESSAGE(after_step(step, shape, values) == reference_step(step, shape, values),
                            hwy::TargetName(target) << ", trial " << trial);
    }
  });
}

BOOST_AUTO_TEST_CASE(every_step_leaves_an_abandoned_canvas_as_it_is) {
  constexpr ColourStep kSteps[] = {{ColourStepKind::kPosterize, 3},
                                   {ColourStepKind::kSolarize, 128},
                                   {ColourStepKind::kAutoContrast, 0},
                                   {ColourStepKind::kEqualize, 0},
                                   {ColourStepKind::kSharpness, 1.5f}};
  std::stop_source source;
  const std::stop_token stop = source.get_token();
  for (const bool is_stopped : {false, true}) {
    if (is_stopped) source.request_stop();
    for (const ColourStep& step : kSteps) {
      const TestCanvas owned({.width = 32, .height = 32}, 1);
      Canvas canvas = owned.canvas();
      canvas.stop = &stop;
      for (std::size_t i = 0; i < 1024; ++i)
        canvas.values[i] = static_cast<float>(i * i % 233 + 11);
      const Values before = owned.values();
      std::vector<std::byte> scratch(tone_scratch_bytes(32));
      apply_tone_step(step, canvas, scratch);
      BOOST_TEST_CONTEXT("kind " << static_cast<int>(step.kind)) {
        BOOST_TEST((owned.values() == before) == is_stopped);
      }
    }
  }
}

// More values than are mapped between two looks, and not a multiple.
BOOST_AUTO_TEST_CASE(pieces_of_a_large_canvas_are_equal_to_the_twin) {
  const Shape shape{1, 301, 127};
  BOOST_REQUIRE(shape.height_px * shape.width_px > Canvas::kPieceValues);
  std::mt19937_64 random(20240620);
  Values values(std::size_t{shape.height_px} * shape.width_px);
  for (float& value : values) value = static_cast<float>(random() % 200 + 20);
  for (const ColourStep& step :
       {ColourStep{ColourStepKind::kPosterize, 3}, ColourStep{ColourStepKind::kAutoContrast, 0},
        ColourStep{ColourStepKind::kEqualize, 0}, ColourStep{ColourStepKind::kSharpness, 1.5f}}) {
    BOOST_TEST((after_step(step, shape, values) == reference_step(step, shape, values)));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
