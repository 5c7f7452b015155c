// The tensors of a training run between two steps, one at a time, as checkpoints hold them: weights and
// running statistics, the optimizer's state, the means of the weights.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "train/backend/program.h"
#include "train/store/checkpoint_reader.h"
#include "train/store/safetensors.h"

namespace penstock::train {

/// What a bound training program holds of one group; nothing is read before `fill` is called. Tensors of the
/// optimizer are called "<parameter>.<state>", all others as their parameter.
///
/// Lifetime  the program outlives the source
TensorSource tensor_source(Program& program, TensorGroup group);

/// Whether a checkpoint of the program has a group of its own for the means of the weights.
bool keeps_ema(const Program& program) noexcept;

/// Sets all of them, group by group.
///
/// Errors  CorruptData naming the file and the tensor that is missing, of another shape, or too many; Io
void restore_tensors(Program& program, const CheckpointReader& checkpoint);

/// Bytes of the largest tensor, of a program's parameters or a graph's: what storing or restoring holds besides.
template <class Tensors>
std::uint64_t largest_tensor_bytes(const Tensors& tensors) noexcept {
  std::uint64_t most = 0;
  for (const auto& tensor : tensors) {
    most = std::max<std::uint64_t>(most, tensor.num_elements() * sizeof(float));
  }
  return most;
}

}  // namespace penstock::train
