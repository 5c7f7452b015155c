#include "augment/augment_policy.h"

#include <cmath>
#include <numbers>

#include "augment/augment_draws.h"

namespace penstock::augment {
namespace {

constexpr std::uint32_t kLastBin = AugmentConfig::kMaxRandAugmentMagnitude;

/// How far an operation goes in the last bin; in bin 0 it does nothing.
struct Strengths {
  double shear;
  double rotation_deg;
  double factor;  // beside 1
  std::uint32_t num_bits;
};
constexpr Strengths kTrivialWide{.shear = 0.99, .rotation_deg = 135, .factor = 0.99, .num_bits = 6};
constexpr Strengths kRand{.shear = 0.3, .rotation_deg = 30, .factor = 0.9, .num_bits = 4};

const Strengths& strengths_of(AutoAugment policy) noexcept {
  return policy == AutoAugment::kRandAugment ? kRand : kTrivialWide;
}

/// Whole pixels, rounded towards 0: of 32 pixels, or of 150 / 331 of the side.
double shift_px(AutoAugment policy, std::uint32_t bin, std::uint32_t side_px) noexcept {
  if (policy != AutoAugment::kRandAugment) return 32 * bin / kLastBin;
  return static_cast<double>(std::uint64_t{150} * side_px * bin / (331 * kLastBin));
}

bool has_sign(PolicyOperation operation) noexcept {
  return operation >= PolicyOperation::kShearX && operation <= PolicyOperation::kSharpness;
}

/// Without sign: what is added for operations that have one.
double strength_of(AutoAugment policy, PolicyOperation operation, std::uint32_t bin,
                   SizePx output) noexcept {
  const Strengths& last = strengths_of(policy);
  const double part = static_cast<double>(bin) / kLastBin;
  switch (operation) {
    case PolicyOperation::kShearX:
    case PolicyOperation::kShearY:
      return last.shear * part;
    case PolicyOperation::kTranslateX:
      return shift_px(policy, bin, output.width);
    case PolicyOperation::kTranslateY:
      return shift_px(policy, bin, output.height);
    case PolicyOperation::kRotate:
      return last.rotation_deg * part;
    case PolicyOperation::kBrightness:
    case PolicyOperation::kColor:
    case PolicyOperation::kContrast:
    case PolicyOperation::kSharpness:
      return last.factor * part;
    case PolicyOperation::kPosterize:
      return 8 - std::nearbyint(last.num_bits * part);
    case PolicyOperation::kSolarize:
      return 255 - 8.5 * bin;
    case PolicyOperation::kIdentity:
    case PolicyOperation::kAutoContrast:
    case PolicyOperation::kEqualize:
      break;
  }
  return 0;
}

bool is_factor(PolicyOperation operation) noexcept {
  return operation >= PolicyOperation::kBrightness && operation <= PolicyOperation::kSharpness;
}

/// One of 14 operations, 31 bins and two signs, by two values from [0, 1).
struct Choice {
  PolicyOperation operation;
  std::uint32_t bin;
  bool is_negative;
};

Choice choose(double first, double second) noexcept {
  const auto operation = static_cast<PolicyOperation>(first * kNumPolicyOperations);
  const auto bin_and_sign = static_cast<std::uint32_t>(second * (2 * (kLastBin + 1)));
  return {operation, bin_and_sign / 2, bin_and_sign % 2 == 1};
}

/// Output position -> position in the picture before the operation.
AffineMap operation_map(const PolicyStep& step, SizePx output) noexcept {
  switch (step.operation) {
    // About the corner of the picture, half a pixel beside the first centre.
    case PolicyOperation::kShearX:
      return {.xy = step.amount, .x0 = step.amount / 2};
    case PolicyOperation::kShearY:
      return {.yx = step.amount, .y0 = step.amount / 2};
    case PolicyOperation::kTranslateX:
      return shift_map({-step.amount, 0});
    case PolicyOperation::kTranslateY:
      return shift_map({0, -step.amount});
    case PolicyOperation::kRotate:
      return rotation_map(-step.amount * std::numbers::pi / 180, output);
    default:
      return {};
  }
}

bool is_geometry(PolicyOperation operation) noexcept {
  return operation >= PolicyOperation::kShearX && operation <= PolicyOperation::kRotate;
}

ColourStep colour_step(const PolicyStep& step) noexcept {
  const auto amount = static_cast<float>(step.amount);
  switch (step.operation) {
    case PolicyOperation::kColor:
      return {ColourStepKind::kSaturation, amount};
    case PolicyOperation::kContrast:
      return {ColourStepKind::kContrast, amount};
    case PolicyOperation::kSharpness:
      return {ColourStepKind::kSharpness, amount};
    case PolicyOperation::kPosterize:
      return {ColourStepKind::kPosterize, amount};
    case PolicyOperation::kSolarize:
      return {ColourStepKind::kSolarize, amount};
    case PolicyOperation::kAutoContrast:
      return {ColourStepKind::kAutoContrast, 0};
    case PolicyOperation::kEqualize:
      return {ColourStepKind::kEqualize, 0};
    default:
      return {ColourStepKind::kBrightness, amount};
  }
}

bool changes_colours(const PolicyStep& step) noexcept {
  if (step.operation == PolicyOperation::kIdentity || is_geometry(step.operation)) return false;
  if (is_factor(step.operation)) return step.amount != 1;
  return !(step.operation == PolicyOperation::kPosterize && step.amount == 8);
}

}  // namespace

std::string_view policy_operation_name(PolicyOperation operation) noexcept {
  constexpr std::array<std::string_view, kNumPolicyOperations> kNames = {
      "Identity", "ShearX",   "ShearY",    "TranslateX", "TranslateY", "Rotate",       "Brightness",
      "Color",    "Contrast", "Sharpness", "Posterize",  "Solarize",   "AutoContrast", "Equalize"};
  return kNames[static_cast<std::size_t>(operation)];
}

PolicySteps draw_policy(const AugmentConfig& config, SizePx output, const Draws& draws) noexcept {
  PolicySteps drawn;
  if (config.auto_augment == AutoAugment::kNone) return drawn;
  const bool is_trivial = config.auto_augment == AutoAugment::kTrivialAugmentWide;
  const std::uint32_t num_ops = is_trivial ? 1 : config.rand_augment_ops;
  for (std::uint32_t i = 0; i < num_ops; ++i) {
    const auto block = static_cast<std::uint16_t>(static_cast<int>(DrawBlock::kPolicy) + i);
    Choice choice = choose(draws.uniform(block, 0), draws.uniform(block, 1));
    if (!is_trivial) choice.bin = config.rand_augment_magnitude;
    double amount = strength_of(config.auto_augment, choice.operation, choice.bin, output);
    if (has_sign(choice.operation) && choice.is_negative) amount = 0 - amount;  // never -0
    if (is_factor(choice.operation)) amount += 1;
    drawn.add({choice.operation, amount});
  }
  return drawn;
}

AffineMap policy_map(std::span<const PolicyStep> steps, SizePx output) noexcept {
  AffineMap map;
  for (const PolicyStep& step : steps) {
    // A position walks backwards: through the last step first.
    if (is_geometry(step.operation)) map = compose(operation_map(step, output), map);
  }
  return map;
}

double smallest_policy_scale(const AugmentConfig& config) noexcept {
  if (config.auto_augment == AutoAugment::kNone) return 1;
  const bool is_trivial = config.auto_augment == AutoAugment::kTrivialAugmentWide;
  const double shear = strength_of(config.auto_augment, PolicyOperation::kShearX,
                                   is_trivial ? kLastBin : config.rand_augment_magnitude, {});
  const double least = singular_values({.xy = shear}).smallest;
  // A product's smallest singular value is at least the product of the smallest. A little less,
  // because the drawn map's are rounded.
  return std::pow(least, is_trivial ? 1 : config.rand_augment_ops) * (1 - 1e-9);
}

void add_policy_colours(std::span<const PolicyStep> steps, ColourSteps& colours) noexcept {
  for (const PolicyStep& step : steps) {
    if (changes_colours(step)) colours.add(colour_step(step));
  }
}

}  // namespace penstock::augment
