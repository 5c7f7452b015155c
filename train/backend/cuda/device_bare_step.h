// The products of a step on a device and nothing else: what its libraries alone come to.
#pragma once

#include <memory>

#include "train/backend/bare_step.h"
#include "train/backend/cuda/device_program.h"

namespace penstock::train::cuda {

/// By the plans of the program, in the memory that a program has, over numbers that were drawn: zeros take less power,
/// and clocks are higher. Enqueues all and waits once; from the first reset_times() on it waits for each, and its
/// launch counts.
///
/// Lifetime  `parts` outlive it
std::unique_ptr<BareStep> make_device_bare_step(const ModelGraph& graph, const Lowering& lowering,
                                                DeviceParts& parts,
                                                const DeviceProgramOptions& options);

}  // namespace penstock::train::cuda
