#include "train/graph/initializer.h"

#include <array>
#include <cmath>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"

namespace penstock::train {
namespace {

// In the order of InitRule.
constexpr std::array<std::string_view, 8> kRuleNames{
    "he_normal",     "he_normal_fan_out", "he_uniform",       "glorot_uniform",
    "glorot_normal", "lecun_normal",      "truncated_normal", "normal"};

Initializer normal_of(double variance) {
  return {DrawShape::kNormal, std::sqrt(variance)};
}

/// An even draw from -a to a has the variance a^2 / 3.
Initializer uniform_of(double variance) {
  return {DrawShape::kUniform, std::sqrt(3 * variance)};
}

}  // namespace

std::string_view init_rule_name(InitRule rule) {
  return kRuleNames.at(static_cast<std::size_t>(rule));
}

InitRule parse_init_rule(std::string_view name) {
  std::string expected;
  for (std::size_t i = 0; i < kRuleNames.size(); ++i) {
    if (kRuleNames[i] == name) return static_cast<InitRule>(i);
    expected += (i == 0 ? "" : ", ") + std::string(kRuleNames[i]);
  }
  throw Error(ErrorCode::kInvalidArgument,
              "init: expected one of " + expected + ", found '" + std::string(name) + "'",
              nearest_name_hint(name, kRuleNames));
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
  }
  return {};
}

}  // namespace penstock::train
