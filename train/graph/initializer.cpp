#include "train/graph/initializer.h"

#include <array>
#include <cmath>

namespace penstock::train {
namespace {

// In the order of InitRule.
constexpr std::array<std::string_view, 9> kRuleNames{
    "he_normal",    "he_normal_fan_out", "he_uniform", "glorot_uniform", "glorot_normal",
    "lecun_normal", "truncated_normal",  "normal",     "uniform"};

Initializer normal_of(double variance) {
  return {DrawShape::kNormal, std::sqrt(variance)};
}

/// An even draw from -a to a has the variance a^2 / 3.
Initializer uniform_of(double variance) {
  return {DrawShape::kUniform, std::sqrt(3 * variance)};
}

}  // namespace

std::span<const std::string_view> init_rule_names() {
  return kRuleNames;
}

bool has_deviation(InitRule rule) noexcept {
  return rule == InitRule::kNormal || rule == InitRule::kTruncatedNormal ||
         rule == InitRule::kUniform;
}

Initializer resolve_init(const WeightInit& init, const Fans& fans) noexcept {
  switch (init.rule) {
    case InitRule::kHeNormal:
      return normal_of(2 / fans.in);
    case InitRule::kHeNormalFanOut:
      return normal_of(2 / fans.out);
    case InitRule::kHeUniform:
      return uniform_of(2 / fans.in);
    case InitRule::kGlorotUniform:
      return uniform_of(2 / (fans.in + fans.out));
    case InitRule::kGlorotNormal:
      return normal_of(2 / (fans.in + fans.out));
    case InitRule::kLecunNormal:
      return normal_of(1 / fans.in);
    case InitRule::kTruncatedNormal:
      return {DrawShape::kTruncatedNormal, init.deviation};
    case InitRule::kNormal:
      return {DrawShape::kNormal, init.deviation};
    case InitRule::kUniform:
      return uniform_of(init.deviation * init.deviation);
  }
  return {};
}

}  // namespace penstock::train
