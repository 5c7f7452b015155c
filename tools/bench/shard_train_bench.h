// penstock bench train DATASET: training from shards beside the same step on a batch in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/bench/rounds.h"
#include "train/run/settings/core_split.h"
#include "train/run/settings/run_config.h"

namespace penstock::tools::bench {

inline constexpr const char* kResidentSideName = "on a resident batch";
inline constexpr const char* kStreamedSideName = "from shards";

struct ShardTrainConfig {
  train::RunConfig run;  // dataset, network, batch, precision, threads, memory; no folder
  std::uint32_t num_rounds = 5;
};

/// Another way to share the cores, beside the one that is measured.
struct SplitCandidate {
  train::CoreSplit cores;
  Spread ratio;  // its speed over the measured one's, round by round
};

struct ShardTrainResult {
  train::RunConfig run;  // resolved
  std::uint32_t num_cores = 0;
  std::uint32_t num_rounds = 0;
  std::uint32_t num_steps = 0;  // of a round
  train::CoreSplit cores;
  std::string backend;
  std::string batch_note = {};         // train::PlannedBatch::note
  double start_s = 0;                  // from the settings to the end of the first step
  std::vector<SideResult> sides = {};  // a sample is a picture
  Spread waiting_share = {};           // of the time from shards, waiting for a batch
  double loader_cpu_us = 0;  // a picture: CPU time from shards above that on a resident batch
  /// Time of a resident step and the loader's CPU time, spread over the cores, to the time from shards.
  double ratio_less_loader = 0;
  std::string loader_verdict = {};
  std::vector<SplitCandidate> candidates = {};
  train::CoreSplit recommended = {};  // of kLeastRounds rounds and more
  std::string explanation = {};  // Program::explain()
};

/// The candidate that is fastest of those more than 3 % faster than `measured` in every one of at least 3
/// rounds; `measured` when there is none.
train::CoreSplit recommended_split(const std::vector<SplitCandidate>& candidates,
                                   const train::CoreSplit& measured, std::uint32_t num_rounds);

/// Errors  those of train_run() before its first step; OutOfMemory when the memory limit would cut the step
ShardTrainResult bench_shard_train(const ShardTrainConfig& config);

std::string shard_train_text(const ShardTrainResult& result);
std::string shard_train_json(const ShardTrainResult& result);

}  // namespace penstock::tools::bench
