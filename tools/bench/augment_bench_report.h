// What `penstock bench augment` prints.
#pragma once

#include <string>

#include "tools/bench/augment_bench.h"

namespace penstock::tools::bench {

std::string augment_bench_text(const AugmentBenchResult& result);
std::string augment_bench_json(const AugmentBenchResult& result);

/// The vector units of this build, one a line, and whether this machine has them.
std::string simd_list_text();

}  // namespace penstock::tools::bench
