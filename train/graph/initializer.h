// How tensors of weights begin.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace penstock::train {

/// Rules for weights, by the numbers of values that one output adds up (fan in) and that one input reaches
/// (fan out).
enum class InitRule : std::uint8_t {
  kHeNormal,        // variance 2 / fan in (He et al. 2015, eq. 10)
  kHeNormalFanOut,  // variance 2 / fan out (eq. 14): torchvision's ResNets
  kHeUniform,       // the same variance as kHeNormal, even: Keras he_uniform
  kGlorotUniform,  // variance 2 / (fan in + fan out), even (Glorot and Bengio 2010, eq. 16): Keras's default
  kGlorotNormal,     // the same, normal
  kLecunNormal,      // variance 1 / fan in
  kTruncatedNormal,  // `deviation`, values beyond two of it drawn again
  kNormal,           // `deviation`
  kUniform,          // `deviation`, even between -deviation * sqrt(3) and deviation * sqrt(3)
};

struct WeightInit {
  InitRule rule = InitRule::kHeNormal;
  /// Of kNormal, kUniform and kTruncatedNormal before the cut, else ignored; above 0.
  double deviation = 0.02;
};

/// Names as model files spell them, "he_normal", in the order of InitRule.
std::span<const std::string_view> init_rule_names();
/// Whether WeightInit::deviation means something.
bool has_deviation(InitRule rule) noexcept;

enum class DrawShape : std::uint8_t { kConstant, kNormal, kTruncatedNormal, kUniform };

/// What an initial value is drawn from.
struct Initializer {
  DrawShape shape = DrawShape::kConstant;
  /// The constant, the deviation, or half the width of the even draw around 0.
  double size = 0.0;
};

/// Numbers of terms at the two ends of a tensor of weights.
struct Fans {
  double in = 1;
  double out = 1;
};

Initializer resolve_init(const WeightInit& init, const Fans& fans) noexcept;

}  // namespace penstock::train
