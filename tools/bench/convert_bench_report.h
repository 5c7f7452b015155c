// What `penstock bench convert` measured, in words and as JSON.
#pragma once

#include <string>

#include "tools/bench/convert_bench.h"

namespace penstock::tools::bench {

std::string convert_bench_text(const ConvertBenchResult& result);
std::string convert_bench_json(const ConvertBenchResult& result);

}  // namespace penstock::tools::bench
