// What a run is and what computes it, in the words in which checkpoints keep and compare it.
#pragma once

#include <string_view>

#include "train/run/run_setup.h"
#include "train/store/checkpoint_state.h"

namespace penstock::train {

/// Setting that holds the digest of the file of RunConfig::init_from.
inline constexpr std::string_view kInitialWeightsFact = "initial_weights";

/// Returns a state with all fields filled in that do not change from step to step: seed, configuration,
/// settings, dataset, model, backend, threads.
CheckpointState run_facts(const RunSetup& setup);

}  // namespace penstock::train
