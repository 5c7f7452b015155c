#include <cmath>
#include <numbers>

#include "streamer/core/error.h"
#include "train/graph/model_graph.h"
#include "train/graph/train_draws.h"

namespace penstock::train {
namespace {

/// Box and Muller, A note on the generation of random normal deviates (1958), one of the two. `attempt`
/// below 2^15.
double normal_draw(const Draws& draws, std::uint16_t attempt = 0) {
  const double u = 1.0 - draws.uniform(attempt, 0);  // (0, 1]
  const double angle = 2.0 * std::numbers::pi * draws.uniform(attempt, 1);
  return std::sqrt(-2.0 * std::log(u)) * std::cos(angle);
}

/// Draws again what lies beyond two deviations, one in 22.
double truncated_normal_draw(const Draws& draws) {
  constexpr double kCut = 2.0;
  constexpr std::uint16_t kMaxAttempts = 64;  // all beyond the cut: once in 10^85
  for (std::uint16_t attempt = 0; attempt < kMaxAttempts; ++attempt) {
    const double value = normal_draw(draws, attempt);
    if (std::abs(value) <= kCut) return value;
  }
  return 0;
}

double draw(DrawShape shape, const Draws& draws) {
  switch (shape) {
    case DrawShape::kConstant:
      return 1;
    case DrawShape::kNormal:
      return normal_draw(draws);
    case DrawShape::kTruncatedNormal:
      return truncated_normal_draw(draws);
    case DrawShape::kUniform:
      return 2 * draws.uniform(0, 0) - 1;
  }
  return 0;
}

}  // namespace

std::vector<float> initial_value(const ModelGraph& graph, std::uint32_t param_idx,
                                 std::uint64_t seed) {
  check_internal(param_idx < graph.parameters().size(), "initial_value: parameter index");
  const Parameter& parameter = graph.parameters()[param_idx];
  const Initializer& initial = parameter.initial;
  std::vector<float> values(parameter.num_elements(), static_cast<float>(initial.size));
  if (initial.shape == DrawShape::kConstant) return values;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] =
        static_cast<float>(initial.size * draw(initial.shape, initial_draws(seed, param_idx, i)));
  }
  return values;
}

}  // namespace penstock::train
