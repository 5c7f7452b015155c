// One random batch through mixup or cutmix: every vector unit against the value-by-value way, and that
// against the twin in double precision.
#pragma once

#include <random>

namespace penstock::augment {

/// Throws TrialFailure.
void run_mix_trial(std::mt19937_64& random);

}  // namespace penstock::augment
