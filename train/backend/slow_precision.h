// Whether a precision saves time on this machine: libraries emulate what the processor lacks, and say
// nothing.
#pragma once

#include <string>
#include <string_view>

#include "train/backend/compute_type.h"

namespace penstock::train {

/// Why computing in `compute` on a backend takes longer here than in float32, in a line; empty where it does
/// not, and for a backend that knows no faster way.
///
/// Source  oneDNN developer guide, "Data Types": bfloat16 is emulated on AVX-512 without AVX512_BF16
std::string slow_precision_note(std::string_view backend, ComputeType compute);

}  // namespace penstock::train
