// A graph lowered to plain loops, one node at a time, every tensor in its own NCHW buffer.
#pragma once

#include <memory>

#include "train/backend/backend.h"
#include "train/backend/report_queue.h"

namespace penstock::train::reference {

/// Instantiated for float and double. Reports go to the back of `reports`.
template <class T>
std::unique_ptr<Program> make_program(const ModelGraph& graph, const Lowering& lowering,
                                      BatchSpec input_spec, ReportQueue& reports);

}  // namespace penstock::train::reference
