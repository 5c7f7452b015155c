#include <cmath>
#include <numbers>

#include "streamer/core/error.h"
#include "train/graph/model_graph.h"
#include "train/graph/train_draws.h"

namespace penstock::train {
namespace {

/// Box and Muller, A note on the generation of random normal deviates (1958), one of the two.
double normal_draw(const Draws& draws) {
  const double u = 1.0 - draws.uniform(0, 0);  // (0, 1]
  const double angle = 2.0 * std::numbers::pi * draws.uniform(0, 1);
  return std::sqrt(-2.0 * std::log(u)) * std::cos(angle);
}

/// Inputs that one output adds up.
std::size_t fan_in(const Parameter& parameter) {
  return parameter.num_elements() / parameter.shape.front();
}

double initial_constant(ParamKind kind) {
  return kind == ParamKind::kScale || kind == ParamKind::kRunningVar ? 1.0 : 0.0;
}

}  // namespace

std::vector<float> initial_value(const ModelGraph& graph, std::uint32_t param_idx,
                                 std::uint64_t seed) {
  check_internal(param_idx < graph.parameters().size(), "initial_value: parameter index");
  const Parameter& parameter = graph.parameters()[param_idx];
  std::vector<float> values(parameter.num_elements());
  double variance_gain = 0;
  if (parameter.kind == ParamKind::kConvWeight) variance_gain = 2.0;
  if (parameter.kind == ParamKind::kDenseWeight) variance_gain = 1.0;
  if (variance_gain == 0) {
    values.assign(values.size(), static_cast<float>(initial_constant(parameter.kind)));
    return values;
  }
  const double deviation = std::sqrt(variance_gain / static_cast<double>(fan_in(parameter)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(deviation * normal_draw(initial_draws(seed, param_idx, i)));
  }
  return values;
}

}  // namespace penstock::train
