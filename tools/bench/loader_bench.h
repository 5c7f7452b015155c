// `penstock bench loader`: the measurements and what they come to, without words.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/loader_run.h"
#include "tools/bench/rounds.h"
#include "tools/bench/workload.h"

namespace penstock::tools::bench {

struct LoaderBenchConfig {
  std::filesystem::path dataset;
  std::string split = "train";
  /// Name of a workload; empty for the one that suits the dataset.
  std::string workload = {};
  WorkloadWish wish = {};
  /// Limit of each loader; 0 for what `train` would take.
  std::uint64_t memory_bytes = 0;
  /// Cores that everything is measured on; 0 for all.
  std::uint32_t num_threads = 0;
  /// Readers, workers and slots of the loader; 0 for the loader's rule.
  LoaderThreads threads = {.num_readers = 0, .num_workers = 0, .num_slots = 0};
  std::uint32_t num_rounds = 5;
  /// Samples of a round, in whole batches; 0 for an epoch, at least 16 rings of batches, at
  /// most 50,000 and 256 MiB stored.
  std::uint64_t num_samples = 0;
  std::uint64_t seed = 0;
  /// Drops the shards from the page cache before each round of what reads them. Not with a cache.
  bool is_cold = false;
  /// What the loader keeps of the samples, within its limit; on the clock it is full.
  CacheForm cache = CacheForm::kNone;
};

/// What a slow consumer changes: CPU seconds a sample, over those of one that takes at once.
struct ConsumerCheck {
  Spread free_cpu_us;  // per sample
  Spread slow_cpu_us;
  std::optional<Spread> ratio;  // none when other samples failed
};

/// Other threads and depths, beside those measured.
struct Candidate {
  LoaderThreads threads;
  Spread samples_per_s;
  Spread ratio;  // over the loader as measured, round by round
};

struct LoaderBenchResult {
  std::string dataset_id;
  std::string split;
  Workload workload;
  LoaderThreads threads;
  std::uint32_t num_threads = 0;
  std::uint32_t num_rounds = 0;
  bool is_cold = false;
  std::uint64_t seed = 0;
  std::uint64_t num_samples = 0;
  double mean_width_px = 0;
  double mean_height_px = 0;
  double mean_stored_bytes = 0;
  std::uint64_t limit_bytes = 0;
  CacheForm cache = CacheForm::kNone;
  /// What differs from what was asked for, and why.
  std::vector<std::string> notes = {};
  /// Figures of the loader's last run, of its time on the clock; verdict() says what follows from
  /// them.
  LoaderStats loader_stats = {};
  std::vector<SideResult> sides = {};
  /// How many times faster `num_threads` cores are than one; only with more than one.
  std::optional<Spread> loader_scaling = {};
  std::optional<Spread> ceiling_scaling = {};
  ConsumerCheck consumer = {};
  std::vector<Candidate> candidates = {};
  LoaderThreads recommended = {};
};

/// Measures. `say` is told what is being done.
///
/// Errors  those of Dataset and Loader; InvalidArgument; OutOfMemory, with the sum, when the machine
///         has less than the limit and what is held beside it (bench_memory.h)
LoaderBenchResult bench_loader(const LoaderBenchConfig& config,
                               const std::function<void(std::string_view)>& say);

}  // namespace penstock::tools::bench
