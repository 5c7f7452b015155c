// Initial values on their way into a program.
#pragma once

#include <cstdint>
#include <span>

#include "train/backend/program.h"
#include "train/graph/initial_values.h"

namespace penstock::train {

/// Imports initial_value() of these parameters, and of their EMA, into a bound program.
///
/// Cost  the memory of the largest of them
void draw_params(Program& program, const ModelGraph& graph,
                 std::span<const std::uint32_t> param_idxs, const InitialDraw& how);

/// The same of all parameters.
void draw_all_params(Program& program, const ModelGraph& graph, const InitialDraw& how);

}  // namespace penstock::train
