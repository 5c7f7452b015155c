// How many threads and batches: the loader's own rule, and what does better.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "tools/bench/loader_bench.h"

namespace penstock::tools::bench {

/// What the loader itself takes on so many cores; what `wish` has above 0 is taken as it is.
LoaderThreads threads_for(std::uint32_t num_cores, const LoaderThreads& wish);

/// Streams with fewer and more of each, beside `measured`, which comes first; `prepare`, where there
/// is one, runs before each.
std::vector<Candidate> try_candidates(const Stream& stream, const LoaderThreads& measured,
                                      std::uint32_t num_cores, std::uint32_t num_rounds,
                                      const std::function<void()>& prepare);

/// Returns the fastest of those that are more than 3 % faster than `measured`, and not only by
/// chance: in every round, of kLeastRounds at least. `measured` when there is none.
LoaderThreads recommended(std::span<const Candidate> candidates, const LoaderThreads& measured,
                          std::uint32_t num_rounds);

}  // namespace penstock::tools::bench
