// Clipping by the norm of all gradients together. The caller sums the squares of each tensor; this
// is what follows. A norm that is not finite says that the step is to be skipped.
#pragma once

#include <cmath>
#include <cstddef>

#include "train/optim/host_device.h"
#include "train/optim/optimizer_config.h"

namespace penstock::train {

/// Returns the norm of all gradients from each tensor's sum of squares, in double: the squares of
/// finite float32 values never overflow.
PENSTOCK_HOST_DEVICE inline double global_norm(const double* sums_of_squares,
                                               std::size_t num_tensors) {
  double sum = 0;
  for (std::size_t i = 0; i < num_tensors; ++i) sum += sums_of_squares[i];
  return std::sqrt(sum);
}

/// Returns the factor, at most 1, that takes gradients of `global_norm` to config.clip_norm; 1
/// without clipping. The norm is that of the gradients themselves: with a loss scale, divide first.
///
/// Source  torch.nn.utils.clip_grad_norm_ (PyTorch 2), its 1e-6 included
PENSTOCK_HOST_DEVICE inline double clip_scale(const OptimizerConfig& config, double global_norm) {
  const double scale = config.clip_norm / (global_norm + 1e-6);
  return config.clip_norm > 0 && scale < 1 ? scale : 1;
}

}  // namespace penstock::train
