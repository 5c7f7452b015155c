// The steps that count in the end of a run that several processes took, by what each of them logged.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::train::tests {

/// A sample that a step took.
struct TakenSample {
  std::uint64_t pass_idx = 0;
  std::uint64_t position = 0;  // of the pass
  std::uint64_t sample_id = 0;

  bool operator==(const TakenSample&) const = default;
};

using TakenStep = std::vector<TakenSample>;

/// What one process did, by its lines (logged_run.cpp).
struct LoggedSteps {
  std::vector<TakenStep> steps;
  /// Of a step whose end it did not come to.
  TakenStep open;
};

LoggedSteps logged_steps(const std::vector<std::string>& lines);

/// Puts the steps of a process behind those that it went on from: what others took behind them was taken again.
///
/// Errors  std::runtime_error for a process that went on behind steps that nobody has logged
void add_steps(std::vector<TakenStep>& counted, const LoggedSteps& process,
               std::uint64_t num_steps_before);

struct WholePasses {
  std::uint64_t num_passes = 0;
  std::uint64_t num_samples = 0;  // of each
};

/// Positions and samples, each counted from 0 in every pass, that were not taken once: lines such as "pass 1:
/// position 7: expected 1, found 2".
std::string not_once(const std::vector<TakenStep>& steps, const WholePasses& passes);

}  // namespace penstock::train::tests
