// TrivialAugment and RandAugment: operations drawn from a table, each with a strength.
// Knows no pixels: geometry becomes a map, everything else steps on colours.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "augment/affine_map.h"
#include "augment/augment_config.h"
#include "augment/colour/colour_steps.h"
#include "streamer/core/draws.h"

namespace penstock::augment {

/// In torchvision's order, which decides what a draw means: append only.
enum class PolicyOperation : std::uint8_t {
  kIdentity,
  kShearX,        // amount: columns moved for each row down
  kShearY,        // amount: rows moved for each column to the right
  kTranslateX,    // amount: whole output pixels to the right
  kTranslateY,    // amount: whole output pixels down
  kRotate,        // amount: degrees, counterclockwise
  kBrightness,    // amount: factor
  kColor,         // amount: factor of the saturation
  kContrast,      // amount: factor
  kSharpness,     // amount: factor
  kPosterize,     // amount: bits kept
  kSolarize,      // amount: threshold
  kAutoContrast,  // no amount
  kEqualize,      // no amount
};
constexpr std::size_t kNumPolicyOperations = 14;

/// The names that torchvision gives them: "ShearX".
std::string_view policy_operation_name(PolicyOperation operation) noexcept;

struct PolicyStep {
  PolicyOperation operation = PolicyOperation::kIdentity;
  double amount = 0;

  friend bool operator==(const PolicyStep&, const PolicyStep&) = default;
};

/// What was drawn for one sample, in the order in which it acts on the picture.
class PolicySteps {
 public:
  /// Precondition  fewer than AugmentConfig::kMaxRandAugmentOps are there
  void add(const PolicyStep& step) noexcept { steps_[num_steps_++] = step; }

  std::span<const PolicyStep> steps() const noexcept { return {steps_.data(), num_steps_}; }

  friend bool operator==(const PolicySteps&, const PolicySteps&) = default;

 private:
  std::array<PolicyStep, AugmentConfig::kMaxRandAugmentOps> steps_{};
  std::uint8_t num_steps_ = 0;
};

/// Draws what `config.auto_augment` says, which must be valid: nothing with kNone.
///
/// Source  torchvision 0.29, transforms/autoaugment.py, TrivialAugmentWide and RandAugment
PolicySteps draw_policy(const AugmentConfig& config, SizePx output, const Draws& draws) noexcept;

/// Composes the geometry of the steps: positions in the output -> positions before the first step.
AffineMap policy_map(std::span<const PolicyStep> steps, SizePx output) noexcept;

/// Returns a number that the smallest singular value of no policy_map() falls below.
double smallest_policy_scale(const AugmentConfig& config) noexcept;

/// Appends what the steps do to colours. Steps that change nothing are left out.
///
/// Precondition  there is room for as many
void add_policy_colours(std::span<const PolicyStep> steps, ColourSteps& colours) noexcept;

}  // namespace penstock::augment
