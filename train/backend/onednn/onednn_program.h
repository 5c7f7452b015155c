// A graph lowered to tasks of oneDNN and own kernels.
#pragma once

#include <memory>

#include "train/backend/backend.h"
#include "train/backend/host_inputs.h"
#include "train/backend/onednn/onednn_shim.h"
#include "train/backend/report_queue.h"

namespace penstock::train::onednn {

/// What a program borrows from its backend.
struct BackendParts {
  const OneDnn& library;
  const HostInputs& inputs;
  ReportQueue& reports;
  unsigned num_threads;
};

std::unique_ptr<Program> make_program(const ModelGraph& graph, const Lowering& lowering,
                                      const BatchSpec& input_spec, BackendParts parts);

}  // namespace penstock::train::onednn
