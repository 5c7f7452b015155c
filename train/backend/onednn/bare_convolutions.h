// The convolutions and dense layers of a training step and nothing else: what the library could do at best.
#pragma once

#include <memory>

#include "train/backend/bare_step.h"
#include "train/backend/onednn/onednn_shim.h"
#include "train/backend/program.h"

namespace penstock::train::onednn {

/// Each has weights and a gradient of its own, as in a step; values and scratchpads share buffers as large as
/// the largest needs. Each runs in the layout of the library's choice or in NHWC, whichever was faster when it was
/// made.
///
/// Cost      runs every pass eight times, four in each layout, and holds the memory of both meanwhile
/// Lifetime  `library` outlives it
std::unique_ptr<BareStep> make_bare_convolutions(const ModelGraph& graph, const Lowering& lowering,
                                                 const OneDnn& library, unsigned num_threads);

}  // namespace penstock::train::onednn
