// Initial values of parameters, drawn into memory that is there already.
#pragma once

#include <cstdint>
#include <span>

#include "train/graph/model_graph.h"

namespace penstock::train {

/// How initial values are drawn. Each value hangs on the seed and its own place: threads change no bit.
struct InitialDraw {
  std::uint64_t seed = 0;
  /// At least 1; small tensors take fewer.
  std::uint32_t num_threads = 1;
};

/// Draws initial_value() of one parameter.
///
/// Shapes  values: the parameter's, canonical layout
/// Errors  std::system_error when the system gives no thread
void draw_initial_value(const ModelGraph& graph, std::uint32_t param_idx, const InitialDraw& how,
                        std::span<float> values);

}  // namespace penstock::train
