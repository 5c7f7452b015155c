// What `penstock bench loader` measured, in words and as JSON.
#pragma once

#include <string>

#include "tools/bench/loader_bench.h"

namespace penstock::tools::bench {

std::string loader_bench_text(const LoaderBenchResult& result);
std::string loader_bench_json(const LoaderBenchResult& result);

}  // namespace penstock::tools::bench
