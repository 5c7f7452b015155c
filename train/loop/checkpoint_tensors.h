// The tensors of a training run between two steps, one at a time, as checkpoints hold them: weights and
// running statistics, the optimizer's state, the means of the weights.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
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

/// How the states of a checkpoint differ from those that a program keeps: those of one optimizer with and
/// without momentum, with and without means of the weights.
struct StateChange {
  std::vector<std::string> started{};   // by name: zero, as at the start of a run
  std::vector<std::string> left_out{};  // by name
  bool is_ema_started = false;          // from the checkpoint's weights
  bool is_ema_left_out = false;
};

/// Lines for a user; none when nothing differs.
std::vector<std::string> notes_of(const StateChange& change);

/// Sets all of them, group by group, in a program whose states are those of the start of a run.
///
/// Errors  CorruptData naming the file and the tensor that is missing, of another shape, or too many; Io
StateChange restore_tensors(Program& program, const CheckpointReader& checkpoint);

/// The weights for use that a checkpoint holds, in the model's order: means over the steps where it has them.
///
/// Errors    of `fill`: CorruptData, Io
/// Lifetime  the checkpoint outlives the source
TensorSource weights_source(const CheckpointReader& checkpoint);

/// Values of a tensor whose size a program or a checked file vouches for.
std::uint64_t num_values(const TensorSpec& tensor) noexcept;

/// Bytes of the largest tensor, of a program's parameters or a graph's: what storing or restoring holds
/// besides.
template <class Tensors>
std::uint64_t largest_tensor_bytes(const Tensors& tensors) noexcept {
  std::uint64_t most = 0;
  for (const auto& tensor : tensors) {
    most = std::max<std::uint64_t>(most, tensor.num_elements() * sizeof(float));
  }
  return most;
}

}  // namespace penstock::train
