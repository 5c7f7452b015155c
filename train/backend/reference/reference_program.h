// A graph lowered to plain loops, one node at a time, every tensor in its own NCHW buffer.
#pragma once

#include <memory>

#include "train/backend/backend.h"
#include "train/backend/host_inputs.h"
#include "train/backend/report_queue.h"

namespace penstock::train::reference {

/// What a program borrows from its backend.
struct HostParts {
  const HostInputs& inputs;
  ReportQueue& reports;
};

/// Instantiated for float and double.
template <class T>
std::unique_ptr<Program> make_program(const ModelGraph& graph, const Lowering& lowering,
                                      BatchSpec input_spec, HostParts parts);

}  // namespace penstock::train::reference
