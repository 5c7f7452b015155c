#include "train/graph/initial_values.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <thread>
#include <vector>

#include "streamer/core/error.h"
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

/// Values from element `first` on.
void draw_range(const Initializer& initial, std::uint32_t param_idx, std::uint64_t seed,
                std::size_t first, std::span<float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(initial.size *
                                   draw(initial.shape, initial_draws(seed, param_idx, first + i)));
  }
}

}  // namespace

void draw_initial_value(const ModelGraph& graph, std::uint32_t param_idx, const InitialDraw& how,
                        std::span<float> values) {
  check_internal(param_idx < graph.parameters().size(), "initial value: parameter index");
  const Parameter& parameter = graph.parameters()[param_idx];
  check_internal(values.size() == parameter.num_elements(), "initial value: number of values");
  check_internal(how.num_threads > 0, "initial value: number of threads");
  const Initializer& initial = parameter.initial;
  if (initial.shape == DrawShape::kConstant) {
    std::ranges::fill(values, static_cast<float>(initial.size));
    return;
  }
  // Some milliseconds of draws: long beside the start of a thread.
  constexpr std::size_t kLeastOfThread = std::size_t{1} << 16;
  const std::size_t num_parts =
      std::clamp<std::size_t>(values.size() / kLeastOfThread, 1, how.num_threads);
  std::vector<std::jthread> others;
  for (std::size_t part = 0; part < num_parts; ++part) {
    const std::size_t begin = values.size() * part / num_parts;
    const std::size_t end = values.size() * (part + 1) / num_parts;
    const auto draw_part = [&initial, param_idx, seed = how.seed, begin,
                            part_values = values.subspan(begin, end - begin)] {
      draw_range(initial, param_idx, seed, begin, part_values);
    };
    if (part + 1 < num_parts) {
      others.emplace_back(draw_part);
    } else {
      draw_part();
    }
  }
}

std::vector<float> initial_value(const ModelGraph& graph, std::uint32_t param_idx,
                                 std::uint64_t seed) {
  check_internal(param_idx < graph.parameters().size(), "initial_value: parameter index");
  std::vector<float> values(graph.parameters()[param_idx].num_elements());
  draw_initial_value(graph, param_idx, {.seed = seed}, values);
  return values;
}

}  // namespace penstock::train
