// One step that counts nowhere, before the first that does: libraries load what they need with the first call, and
// memory runs out here rather than in the run.
#pragma once

#include "train/loop/program_set.h"

namespace penstock::train {

/// Runs the largest training step of bound programs, in parts as the run will, and the evaluation, on a batch
/// without samples; gives it up. Parameters need not have values yet; running statistics are as they were.
///
/// Memory  one batch of `spec`, as the loader will deliver it
/// Errors  OutOfMemory when the device has too little
void probe_step(ProgramSet& programs, const BatchSpec& spec);

}  // namespace penstock::train
