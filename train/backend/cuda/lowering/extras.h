// What libraries may compute within a convolution, as a layer asks for it: the statistics of the batch norm behind it,
// batch norm and ReLU before it.
#pragma once

#include "train/backend/cuda/device_lowering.h"
#include "train/backend/cuda/product_library.h"

namespace penstock::train::cuda {

/// The convolution of a node, alone.
ConvolutionProblem convolution_problem(const DeviceLowering& context, NodeId id);

/// Whether a batch norm reads a node's values and takes its statistics from them.
bool takes_statistics(const DeviceLowering& context, NodeId id);

/// The pass over a convolution's values for these statistics.
ReplacedWork replaced_statistics(const DeviceLowering& context, NodeId id);

/// The pass that normalises what a convolution reads, the values of `relu`, and the one for statistics where the problem
/// has them.
ReplacedWork replaced_norm_relu(const DeviceLowering& context, NodeId relu,
                                const ConvolutionProblem& problem);

/// Adds the buffer of DeviceLowering::channel_sums().
BufferId add_channel_sums(DeviceLowering& context, NodeId id);

}  // namespace penstock::train::cuda
