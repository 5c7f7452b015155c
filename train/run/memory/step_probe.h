// One step that counts nowhere, before the first that does: libraries load what they need with the first call, and
// memory runs out here rather than in the run.
#pragma once

#include "train/loop/program_set.h"

namespace penstock::train {

/// Runs a training step of bound programs twice, with the first and the last of its parts, and the evaluation, on a
/// batch without samples: the second time a device keeps what it does as graphs, which takes memory, too. To be called
/// before parameters have values; the optimizer's state and counts are then those of the start. Programs of an epoch's
/// shorter last batch and of later stages are not run.
///
/// Memory  one batch of `spec`, as the loader will deliver it
/// Errors  OutOfMemory when the device has too little
void probe_step(ProgramSet& programs, const BatchSpec& spec);

}  // namespace penstock::train
