// What a run is and what computes it, in the words in which checkpoints keep and compare it.
#pragma once

#include "train/run/run_setup.h"
#include "train/store/checkpoint_state.h"

namespace penstock::train {

/// Returns a state with all fields filled in that do not change from step to step: seed, configuration,
/// settings, dataset, model, backend, threads.
CheckpointState run_facts(const RunSetup& setup);

}  // namespace penstock::train
