// Between a program's parameters and tensors as files hold them: names and canonical shapes.
#pragma once

#include <filesystem>
#include <vector>

#include "train/backend/program.h"
#include "train/store/model_record.h"

namespace penstock::train {

/// Returns every parameter of a bound program, running statistics included: what an evaluation reads. A
/// training program with an EMA gives the means of the weights that learn.
///
/// Errors  InvalidArgument naming a tensor with a value that is no finite number: weights that
///         diverged are never stored
std::vector<NamedTensor> export_weights(Program& program);

/// Sets every parameter of a bound program.
///
/// Errors  CorruptData naming the tensor, the shape expected and found, or what is missing;
///         `where` names the file
void import_weights(Program& program, std::vector<NamedTensor> tensors,
                    const std::filesystem::path& where);

}  // namespace penstock::train
