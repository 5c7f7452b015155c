// A sample against the twin in double precision: how far apart they may be, and why.
#pragma once

#include <cstddef>
#include <vector>

#include "tests/augment/fuzz/sample_trial.h"
#include "tests/augment/test_picture.h"

namespace penstock::augment {

/// About how many pixels a slow way looks at for the sample.
double num_looks(const SampleTrial& trial);

/// Compares what came of `picture` with the twin, and counts. At most 1/255 of the range of the pixels
/// before normalisation anywhere, but for ties of positions; where colours enlarge differences, as much
/// more; where they work on bytes, jumps are counted only.
///
/// Throws  TrialFailure
void compare_with_twin(const SampleTrial& trial, std::uint32_t decode_scale,
                       const TestPicture& picture, const std::vector<std::byte>& sample,
                       TwinTally& tally);

}  // namespace penstock::augment
