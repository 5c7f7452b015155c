#include "augment/augment_policy.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "augment/augment_draws.h"

namespace penstock::augment {
namespace {

using enum PolicyOperation;

constexpr int kNumDraws = 10'000;
constexpr SizePx kOutput{100, 64};
const AugmentConfig kTrivial{.auto_augment = AutoAugment::kTrivialAugmentWide};

AugmentConfig rand_augment(std::uint32_t num_ops, std::uint32_t magnitude) {
  return {.auto_augment = AutoAugment::kRandAugment,
          .rand_augment_ops = num_ops,
          .rand_augment_magnitude = magnitude};
}

std::vector<PolicyStep> draw(const AugmentConfig& config, std::uint64_t position) {
  const PolicySteps drawn =
      draw_policy(config, kOutput, Draws({.seed = 21, .epoch = 4, .position = position}));
  return {drawn.steps().begin(), drawn.steps().end()};
}

/// Within five standard deviations of a count of `num` draws with this chance.
void check_count(int count, int num, double chance) {
  const double expected = num * chance;
  BOOST_TEST(std::abs(count - expected) < 5 * std::sqrt(expected * (1 - chance)),
             count << " of " << num << ", expected " << expected);
}

/// All amounts that an operation was drawn with.
using Amounts = std::map<PolicyOperation, std::set<double>>;

Amounts amounts_of(const AugmentConfig& config, int num_draws) {
  Amounts found;
  for (int position = 0; position < num_draws; ++position) {
    for (const auto& [operation, amount] : draw(config, static_cast<std::uint64_t>(position))) {
      found[operation].insert(amount);
    }
  }
  return found;
}

void check_amounts(const std::set<double>& found, const std::set<double>& expected) {
  BOOST_REQUIRE(found.size() == expected.size());
  auto at = expected.begin();
  for (const double amount : found) {
    BOOST_TEST(std::abs(amount - *at) < 1e-9, amount << " is not " << *at);
    ++at;
  }
}

/// middle + sign * last * k / 30 for k from 0 to 30.
std::set<double> both_signs(double middle, double last) {
  std::set<double> amounts;
  for (int k = -30; k <= 30; ++k) amounts.insert(middle + last * k / 30);
  return amounts;
}

BOOST_AUTO_TEST_SUITE(augment_policy)

// torchvision 0.29.2, TrivialAugmentWide()._augmentation_space(31), with int() of the translations and
// 1 + magnitude of the factors. Of the translations only bin 15 differs: 32 * 15 / 30 is 16, of which
// torch's float32 makes 15.999999, and int() 15.
BOOST_AUTO_TEST_CASE(trivial_augment_has_torchvisions_operations_and_bins) {
  const Amounts found = amounts_of(kTrivial, 60'000);
  BOOST_TEST(found.size() == 14u);
  for (const PolicyOperation plain : {kIdentity, kAutoContrast, kEqualize}) {
    check_amounts(found.at(plain), {0});
  }
  for (const PolicyOperation shear : {kShearX, kShearY}) {
    check_amounts(found.at(shear), both_signs(0, 0.99));
  }
  check_amounts(found.at(kRotate), both_signs(0, 135));
  for (const PolicyOperation factor : {kBrightness, kColor, kContrast, kSharpness}) {
    check_amounts(found.at(factor), both_signs(1, 0.99));
  }
  std::set<double> shifts;
  for (const double px : {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 16,
                          17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 32}) {
    shifts.insert({px, -px});
  }
  shifts.insert(0.0);
  check_amounts(found.at(kTranslateX), shifts);
  check_amounts(found.at(kTranslateY), shifts);
  check_amounts(found.at(kPosterize), {2, 3, 4, 5, 6, 7, 8});
  std::set<double> thresholds;
  for (int k = 0; k <= 30; ++k) thresholds.insert(255 - 8.5 * k);
  check_amounts(found.at(kSolarize), thresholds);
}

// torchvision 0.29.2, RandAugment()._augmentation_space(31, (64, 100)) at bins 9 and 30.
BOOST_AUTO_TEST_CASE(rand_augment_has_torchvisions_operations_at_one_strength) {
  struct Expected {
    std::uint32_t magnitude;
    double shear, shift_x, shift_y, rotation, factor, bits, threshold;
  };
  for (const Expected& e :
       {Expected{9, 0.09, 13, 8, 9, 0.27, 7, 178.5}, Expected{30, 0.3, 45, 29, 30, 0.9, 4, 0}}) {
    const Amounts found = amounts_of(rand_augment(2, e.magnitude), 1000);
    BOOST_TEST(found.size() == 14u);
    check_amounts(found.at(kShearX), {-e.shear, e.shear});
    check_amounts(found.at(kShearY), {-e.shear, e.shear});
    check_amounts(found.at(kTranslateX), {-e.shift_x, e.shift_x});
    check_amounts(found.at(kTranslateY), {-e.shift_y, e.shift_y});
    check_amounts(found.at(kRotate), {-e.rotation, e.rotation});
    for (const PolicyOperation factor : {kBrightness, kColor, kContrast, kSharpness}) {
      check_amounts(found.at(factor), {1 - e.factor, 1 + e.factor});
    }
    check_amounts(found.at(kPosterize), {e.bits});
    check_amounts(found.at(kSolarize), {e.threshold});
    for (const PolicyOperation plain : {kIdentity, kAutoContrast, kEqualize}) {
      check_amounts(found.at(plain), {0});
    }
  }
}

// The same table, bits by bin: 8 - round(bin / 5) and 8 - round(bin / 7.5).
BOOST_AUTO_TEST_CASE(bits_and_shifts_of_rand_augment_follow_the_magnitude) {
  const std::array<int, 31> bits = {8, 8, 8, 8, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6, 6,
                                    6, 6, 6, 5, 5, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4};
  const std::array<int, 31> shifts_x = {0,  1,  3,  4,  6,  7,  9,  10, 12, 13, 15,
                                        16, 18, 19, 21, 22, 24, 25, 27, 28, 30, 31,
                                        33, 34, 36, 37, 39, 40, 42, 43, 45};
  for (std::uint32_t magnitude = 0; magnitude <= 30; ++magnitude) {
    const Amounts found = amounts_of(rand_augment(7, magnitude), 100);
    check_amounts(found.at(kPosterize), {static_cast<double>(bits[magnitude])});
    const double shift = shifts_x[magnitude];
    check_amounts(found.at(kTranslateX), {-shift, shift + 0.0});
  }
}

BOOST_AUTO_TEST_CASE(operations_bins_and_signs_are_drawn_evenly) {
  std::map<PolicyOperation, int> operations;
  std::map<int, int> bins;
  int num_binned = 0;
  int num_signed = 0;
  int num_negative = 0;
  for (std::uint64_t position = 0; position < kNumDraws; ++position) {
    const std::vector<PolicyStep> steps = draw(kTrivial, position);
    BOOST_REQUIRE(steps.size() == 1u);
    const auto [operation, amount] = steps.front();
    ++operations[operation];
    double part = 0;  // -1 to 1
    if (operation == kShearX || operation == kShearY) part = amount / 0.99;
    if (operation == kRotate) part = amount / 135;
    if (operation >= kBrightness && operation <= kSharpness) part = (amount - 1) / 0.99;
    if (operation == kSolarize) part = (255 - amount) / 255;
    const bool has_sign = operation == kShearX || operation == kShearY ||
                          (operation >= kRotate && operation <= kSharpness);
    if (!has_sign && operation != kSolarize) continue;
    const int bin = static_cast<int>(std::lround(std::abs(part) * 30));
    ++bins[bin];
    ++num_binned;
    if (!has_sign || bin == 0) continue;
    ++num_signed;
    if (part < 0) ++num_negative;
  }
  BOOST_TEST(operations.size() == kNumPolicyOperations);
  for (const auto& [operation, count] : operations) check_count(count, kNumDraws, 1.0 / 14);
  BOOST_TEST(bins.size() == 31u);
  for (const auto& [bin, count] : bins) check_count(count, num_binned, 1.0 / 31);
  check_count(num_negative, num_signed, 0.5);
}

// Pearson's chi-square over the pairs: 195 degrees of freedom have a mean of 195 and a standard
// deviation of sqrt(2 * 195) = 20.
BOOST_AUTO_TEST_CASE(operations_of_one_sample_are_independent) {
  std::map<std::pair<PolicyOperation, PolicyOperation>, int> pairs;
  std::map<std::pair<bool, bool>, int> signs;
  std::map<std::pair<PolicyOperation, bool>, int> flips;
  int num_signs = 0;
  AugmentConfig config = rand_augment(2, 9);
  config.horizontal_flip = 0.5;
  for (std::uint64_t position = 0; position < kNumDraws; ++position) {
    const AugmentDraws drawn =
        draw_augmentation(config, {.output = kOutput, .upright = kOutput},
                          Draws({.seed = 22, .epoch = 4, .position = position}));
    const auto steps = drawn.policy.steps();
    ++pairs[{steps[0].operation, steps[1].operation}];
    ++flips[{steps[0].operation, drawn.is_flipped}];
    const auto is_geometry = [](const PolicyStep& step) {
      return step.operation >= kShearX && step.operation <= kRotate;
    };
    if (!is_geometry(steps[0]) || !is_geometry(steps[1])) continue;
    ++num_signs;
    ++signs[{steps[0].amount < 0, steps[1].amount < 0}];
  }
  double chi_square = 0;
  for (std::size_t i = 0; i < 14 * 14; ++i) {
    const double expected = kNumDraws / 196.0;
    const double beside =
        pairs[{static_cast<PolicyOperation>(i / 14), static_cast<PolicyOperation>(i % 14)}] -
        expected;
    chi_square += beside * beside / expected;
  }
  BOOST_TEST(chi_square < 195 + 5 * 20, "chi-square " << chi_square);
  BOOST_TEST(chi_square > 195 - 5 * 20, "chi-square " << chi_square);
  BOOST_TEST(signs.size() == 4u);
  for (const auto& [pair, count] : signs) check_count(count, num_signs, 0.25);
  BOOST_TEST(flips.size() == 28u);
  for (const auto& [pair, count] : flips) check_count(count, kNumDraws, 1.0 / 28);
}

// The table of DrawBlock, written out: a change of any number changes the bytes of old runs.
BOOST_AUTO_TEST_CASE(each_operation_comes_from_its_own_block) {
  for (std::uint64_t position = 0; position < 100; ++position) {
    const Draws draws({.seed = 5, .epoch = 1, .position = position});
    const PolicySteps drawn = draw_policy(rand_augment(7, 30), kOutput, draws);
    BOOST_REQUIRE(drawn.steps().size() == 7u);
    for (std::uint16_t i = 0; i < 7; ++i) {
      const auto [operation, amount] = drawn.steps()[i];
      const double slot_0 = draws.uniform(static_cast<std::uint16_t>(40 + i), 0);
      const double slot_1 = draws.uniform(static_cast<std::uint16_t>(40 + i), 1);
      BOOST_REQUIRE(static_cast<int>(operation) == static_cast<int>(14 * slot_0));
      if (operation != kRotate) continue;
      BOOST_REQUIRE(amount == (static_cast<int>(62 * slot_1) % 2 == 1 ? -30 : 30));
    }
    const PolicyStep trivial = draw_policy(kTrivial, kOutput, draws).steps().front();
    if (trivial.operation != kSolarize) continue;
    BOOST_REQUIRE(trivial.amount == 255 - 8.5 * (static_cast<int>(62 * draws.uniform(40, 1)) / 2));
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_drawn_when_it_is_off) {
  BOOST_TEST(draw({}, 1).empty());
  BOOST_TEST(draw(rand_augment(2, 9).without_randomness(), 1).empty());
}

/// Where the output's pixel comes from after one operation.
void check_position(const PolicyStep& step, PointPx pixel, PointPx expected) {
  const PointPx found = policy_map(std::array{step}, {12, 9})(pixel);
  BOOST_TEST(std::abs(found.x - expected.x) < 6e-5, found.x << " is not " << expected.x);
  BOOST_TEST(std::abs(found.y - expected.y) < 6e-5, found.y << " is not " << expected.y);
}

// torchvision 0.29.2, autoaugment._apply_op with bilinear interpolation on a picture of 12 x 9 whose
// values are the positions themselves, to four places; magnitudes 0.3, -0.3, 0.25, 2.7, -2.7, 3, 30, -10.
BOOST_AUTO_TEST_CASE(geometry_goes_where_torchvision_takes_it) {
  check_position({kShearX, 0.3}, {5, 4}, {6.35, 4});
  check_position({kShearX, 0.3}, {7, 3}, {8.05, 3});
  check_position({kShearX, -0.3}, {6, 5}, {4.35, 5});
  check_position({kShearY, 0.25}, {5, 4}, {5, 5.375});
  check_position({kShearY, 0.25}, {6, 5}, {6, 6.625});
  check_position({kTranslateX, 2}, {5, 4}, {3, 4});
  check_position({kTranslateX, -2}, {7, 3}, {9, 3});
  check_position({kTranslateY, 3}, {6, 5}, {6, 2});
  check_position({kRotate, 30}, {5, 4}, {5.0670, 3.75});
  check_position({kRotate, 30}, {7, 3}, {7.2990, 3.8840});
  check_position({kRotate, -10}, {6, 5}, {6.1661, 4.8980});
}

// By hand: the position walks through the last operation first.
BOOST_AUTO_TEST_CASE(the_last_operation_acts_on_what_the_first_has_made) {
  const std::array moved_then_sheared = {PolicyStep{kTranslateY, 1}, PolicyStep{kShearX, 0.5}};
  const std::array sheared_then_moved = {PolicyStep{kShearX, 0.5}, PolicyStep{kTranslateY, 1}};
  const PointPx a = policy_map(moved_then_sheared, {8, 8})({0, 1});
  const PointPx b = policy_map(sheared_then_moved, {8, 8})({0, 1});
  BOOST_TEST(a.x == 0.75);  // 0.5 * (1 + 0.5), then a row up
  BOOST_TEST(a.y == 0.0);
  BOOST_TEST(b.x == 0.25);  // a row up, then 0.5 * (0 + 0.5)
  BOOST_TEST(b.y == 0.0);
}

BOOST_AUTO_TEST_CASE(no_drawn_map_shrinks_more_than_announced) {
  for (const AugmentConfig& config :
       {kTrivial, rand_augment(1, 30), rand_augment(3, 30), rand_augment(7, 17)}) {
    const double least = smallest_policy_scale(config);
    double found = 1;
    for (std::uint64_t position = 0; position < kNumDraws; ++position) {
      const AffineMap map = policy_map(draw(config, position), kOutput);
      found = std::min(found, singular_values(map).smallest);
      BOOST_REQUIRE(singular_values(map).smallest >= least);
    }
    if (config.rand_augment_ops < 3) BOOST_TEST(found < least + 1e-6);
  }
  BOOST_TEST(smallest_policy_scale({}) == 1.0);
}

BOOST_AUTO_TEST_CASE(colour_operations_become_steps_and_those_without_effect_none) {
  const std::array steps = {PolicyStep{kBrightness, 1.5}, PolicyStep{kShearX, 0.1},
                            PolicyStep{kColor, 0.25},     PolicyStep{kIdentity, 0},
                            PolicyStep{kContrast, 1},     PolicyStep{kSharpness, 2},
                            PolicyStep{kPosterize, 8}};
  ColourSteps colours;
  colours.add({ColourStepKind::kHue, 0.5f});
  add_policy_colours(steps, colours);
  const std::vector<ColourStep> expected = {{ColourStepKind::kHue, 0.5f},
                                            {ColourStepKind::kBrightness, 1.5f},
                                            {ColourStepKind::kSaturation, 0.25f},
                                            {ColourStepKind::kSharpness, 2}};
  BOOST_TEST((std::vector(colours.steps().begin(), colours.steps().end()) == expected));

  const std::array rest = {PolicyStep{kContrast, 0.5}, PolicyStep{kPosterize, 3},
                           PolicyStep{kSolarize, 8.5}, PolicyStep{kAutoContrast, 0},
                           PolicyStep{kEqualize, 0}};
  ColourSteps others;
  add_policy_colours(rest, others);
  const std::vector<ColourStep> expected_others = {{ColourStepKind::kContrast, 0.5f},
                                                   {ColourStepKind::kPosterize, 3},
                                                   {ColourStepKind::kSolarize, 8.5f},
                                                   {ColourStepKind::kAutoContrast, 0},
                                                   {ColourStepKind::kEqualize, 0}};
  BOOST_TEST((std::vector(others.steps().begin(), others.steps().end()) == expected_others));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
