// Between a program's parameters and weights as files hold them: names and canonical shapes, one tensor at a
// time.
#pragma once

#include <filesystem>

#include "train/backend/program.h"
#include "train/store/safetensors.h"

namespace penstock::train {

/// Every parameter of a bound program, running statistics included: what an evaluation reads. A training
/// program with an EMA gives the means of the weights that learn. Nothing is read before `fill` is called.
///
/// Errors    of `fill`: InvalidArgument naming a tensor with a value that is no finite number: weights that
///           diverged are never stored
/// Lifetime  the program outlives the source
TensorSource weights_source(Program& program);

/// Sets every parameter of a bound program to those of a safetensors file.
///
/// Errors  NotFound, Io; CorruptData naming the tensor, the shape expected and found, or what is missing,
///         before any parameter is set; Unsupported for values that are not float32
/// Cost    the memory of the largest tensor
void load_weights(Program& program, const std::filesystem::path& file);

}  // namespace penstock::train
