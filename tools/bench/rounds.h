// Runs measurements side by side: A B C, C B A, A B C, ... so that a machine that grows slower or
// faster meanwhile does so for all of them. Knows nothing of what is measured.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/bench_threads.h"
#include "tools/bench/spread.h"

namespace penstock::tools::bench {

/// One thing to be measured.
struct Side {
  std::string name;
  /// The side that it is compared with, by name; empty when there is none.
  std::string ceiling = {};
  std::uint64_t num_samples = 0;  // that one run works through
  /// Runs before each run, outside of its time.
  std::function<void()> prepare = {};
  /// Does the work once and returns the time that it took.
  std::function<RunTime()> run = {};
};

struct SideResult {
  std::string name;
  std::string ceiling = {};
  Spread samples_per_s = {};
  Spread cpu_us = {};            // of the process, per sample
  std::uint64_t num_failed = 0;  // samples of a run; the most of all rounds
  /// The side's speed over its ceiling's, round by round; only when as many samples failed in both:
  /// what fails is not the same work.
  std::optional<Spread> ratio = {};
  /// The ceiling's CPU time over the side's, likewise.
  std::optional<Spread> cpu_ratio = {};
};

/// Runs every side once without counting it, then `num_rounds` times, and compares.
std::vector<SideResult> run_rounds(const std::vector<Side>& sides, std::uint32_t num_rounds);

/// Rounds without which nothing is recommended: one alone says nothing of what is noise.
inline constexpr std::uint32_t kLeastRounds = 3;

/// "nothing is recommended by fewer than 3 --rounds"; empty where there are enough.
std::string too_few_rounds_note(std::uint32_t num_rounds);

/// Returns the result of that name; throws Internal when there is none.
const SideResult& result_named(const std::vector<SideResult>& results, const std::string& name);

}  // namespace penstock::tools::bench
