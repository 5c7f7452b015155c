#include "augment/colour/fixed_tail.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "augment/colour/finish_kernel.h"
#include "augment/colour/reference_colour.h"
#include "tests/augment/test_canvas.h"

namespace penstock::augment {
namespace {

constexpr SizePx kSize{.width = 67, .height = 5};

/// Levels that the last pass makes of a canvas, in planes.
std::vector<float> finished_levels(const Canvas& canvas, const ColourTail& tail) {
  const BatchSpec spec{.batch = 1,
                       .height_px = canvas.height_px,
                       .width_px = canvas.width_px,
                       .channels = 3,
                       .element = ElementType::kFloat32,
                       .layout = PixelLayout::kNchw};
  std::vector<float> levels(3 * canvas.plane_px());
  finish({.canvas = canvas,
          .tail = tail,
          .slot = {&spec, reinterpret_cast<std::byte*>(levels.data())}});
  return levels;
}

/// Errors in levels.
struct Errors {
  double worst = 0;
  double sum = 0;
  double num = 0;
};

/// Runs steps of which hue is the last, and the double-precision twin. Gives the tail.
ColourTail compare(const ColourSteps& steps, const TestCanvas& owned, Errors& errors) {
  const Canvas canvas = owned.canvas();
  std::vector<double> twin(3 * canvas.plane_px());
  for (std::size_t i = 0; i < twin.size(); ++i) {
    twin[i] = canvas.plane(static_cast<std::uint32_t>(i % 3))[i / 3];
  }
  reference_colour(steps.steps(), {3, canvas.height_px, canvas.width_px}, twin);
  const ColourTail tail = apply_colour_steps(steps.steps(), canvas, {});
  const std::vector<float> found = finished_levels(canvas, tail);
  for (std::size_t i = 0; i < twin.size(); ++i) {
    const double error = std::abs(found[i % 3 * canvas.plane_px() + i / 3] - twin[i]);
    errors.worst = std::max(errors.worst, error);
    errors.sum += error;
    ++errors.num;
  }
  return tail;
}

/// Any colours, or such as differ by up to some sixteenths of a level.
void fill_pixels(const Canvas& canvas, std::mt19937_64& random) {
  fill_randomly(canvas, random);
  if (random() % 2 == 0) return;
  for (std::size_t i = 0; i < canvas.plane_px(); ++i) {
    const auto near = [&] { return canvas.plane(0)[i] + static_cast<float>(random() % 9) / 16; };
    for (const std::uint32_t c : {1u, 2u}) canvas.plane(c)[i] = std::min(near(), 255.0f);
  }
}

BOOST_AUTO_TEST_SUITE(fixed_tail)

// By hand: a third of the wheel makes red green, and a colour on the way back the same.
BOOST_AUTO_TEST_CASE(turns_by_thirds_exchange_channels) {
  const auto turned = [](float sixths) {
    const ColourTail tail{.matrix = std::nullopt, .hue_sixths = sixths};
    return finished_fixed({7, 300, 20'000}, FixedTail(tail));
  };
  BOOST_TEST(turned(0) == (FixedRgb{7, 300, 20'000}), boost::test_tools::per_element());
  BOOST_TEST(turned(2) == (FixedRgb{20'000, 7, 300}), boost::test_tools::per_element());
  BOOST_TEST(turned(4) == (FixedRgb{300, 20'000, 7}), boost::test_tools::per_element());
  BOOST_TEST(turned(6) == (FixedRgb{7, 300, 20'000}), boost::test_tools::per_element());
}

// At most one level anywhere and a tenth on average. A matrix is off by up to 2.5/128 2^shift and the
// turn three times as much, but hardly ever all at once.
BOOST_AUTO_TEST_CASE(pixels_are_within_a_level_of_the_twin_and_a_tenth_on_average) {
  constexpr std::uint64_t kSeed = 91;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  std::uniform_real_distribution<float> turns(-0.5f, 0.5f);
  std::array<Errors, 5> by_shift{};  // the last: factors left to floats
  for (int trial = 0; trial < 4000; ++trial) {
    const TestCanvas owned(kSize, 3);
    fill_pixels(owned.canvas(), random);
    std::uniform_real_distribution<float> factor(0, static_cast<float>(1 + trial % 4));
    ColourSteps steps;
    if (trial % 5 == 0) steps.add({ColourStepKind::kChannelShift, 100 * turns(random)});
    if (trial % 3 != 0) steps.add({ColourStepKind::kBrightness, factor(random)});
    if (trial % 3 != 0) steps.add({ColourStepKind::kContrast, factor(random)});
    if (trial % 3 == 1) steps.add({ColourStepKind::kSaturation, factor(random)});
    steps.add({ColourStepKind::kHue, turns(random)});
    Errors errors;
    const ColourTail tail = compare(steps, owned, errors);
    const FixedTail fixed(tail);
    Errors& all = by_shift[tail.matrix && !fixed.has_mix ? 4 : fixed.shift];
    BOOST_REQUIRE_MESSAGE(errors.worst <= 0.1 * (1 << fixed.shift),
                          "trial " << trial << ": off by " << errors.worst);
    BOOST_REQUIRE_MESSAGE(errors.sum <= 0.1 * errors.num,
                          "trial " << trial << ": off by " << errors.sum / errors.num);
    all = {std::max(all.worst, errors.worst), all.sum + errors.sum, all.num + errors.num};
  }
  for (const Errors& errors : by_shift) {
    BOOST_TEST(errors.num > 0);
    BOOST_TEST_MESSAGE("largest error " << errors.worst << " of a level, mean "
                                        << errors.sum / errors.num);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
