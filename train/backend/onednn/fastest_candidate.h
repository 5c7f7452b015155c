// Which of several ways to do each of several things is the fastest. Knows neither clocks nor what they do.
#pragma once

#include <cstddef>
#include <vector>

namespace penstock::train::onednn {

/// Returns for each item the index of the candidate with its shortest run. A round runs all items with one
/// candidate, then all with the next, so that each finds the caches as those before it leave them; candidates go
/// forwards and backwards in turn, so that none is always the first. The shortest run is the one that other
/// programs have disturbed least.
///
/// `run_s(item_idx, candidate_idx)` runs one and returns how long it took. At least one candidate and one round.
template <class RunSeconds>
std::vector<std::size_t> fastest_candidates(std::size_t num_items, std::size_t num_candidates,
                                            unsigned num_rounds, const RunSeconds& run_s) {
  std::vector<double> shortest_s(num_items * num_candidates);
  for (unsigned round = 0; round < num_rounds; ++round) {
    for (std::size_t i = 0; i < num_candidates; ++i) {
      const std::size_t candidate = round % 2 == 0 ? i : num_candidates - 1 - i;
      for (std::size_t item = 0; item < num_items; ++item) {
        double& shortest = shortest_s[item * num_candidates + candidate];
        const double seconds = run_s(item, candidate);
        if (round == 0 || seconds < shortest) shortest = seconds;
      }
    }
  }
  std::vector<std::size_t> fastest(num_items);
  for (std::size_t item = 0; item < num_items; ++item) {
    const double* const shortest = shortest_s.data() + item * num_candidates;
    for (std::size_t i = 1; i < num_candidates; ++i) {
      if (shortest[i] < shortest[fastest[item]]) fastest[item] = i;
    }
  }
  return fastest;
}

}  // namespace penstock::train::onednn
