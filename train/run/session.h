// A training run from end to end: dataset in, folder with weights out. Tells an observer what goes
// on and prints nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "train/run/core_split.h"
#include "train/run/epoch_report.h"
#include "train/run/memory_table.h"
#include "train/run/run_config.h"
#include "train/run/skipped_samples.h"

namespace penstock::train {

/// What is known when everything is ready and before the first step.
struct RunOverview {
  RunConfig config;  // resolved
  std::uint64_t num_train_samples = 0;
  std::uint64_t num_validation_samples = 0;  // 0: no validation split
  std::uint64_t num_classes = 0;
  std::uint64_t num_params = 0;  // trainable
  /// Of them, those that learn, by the epoch from which on they do; one that says all by default.
  struct Learning {
    std::uint32_t first_epoch = 0;
    std::uint64_t num_params = 0;
  };
  std::vector<Learning> learning;
  /// What the weights of a file are, in words: "122 tensors; fc begins anew: ..."; empty for drawn ones.
  std::string initial_weights;
  CoreSplit cores;
  std::string backend;
  std::vector<MemoryRow> memory;
  /// Kind of the memory that batches lie in: "page-aligned", "pinned (cudaHostAlloc)".
  std::string batch_memory;
  std::uint64_t identity_hash = 0;
};

/// Called on the thread that runs the session.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void on_start(const RunOverview& overview) = 0;
  virtual void on_train_step(const EpochReport& so_far) = 0;
  virtual void on_validation_step(const EpochReport& train_done, const PassReport& so_far) = 0;
  virtual void on_epoch(const EpochReport& report) = 0;
  /// After a validation within an epoch; `metrics` are its own.
  virtual void on_validation(const EpochReport& /*so_far*/, const MetricTable& /*metrics*/) {}
  /// When a sample is left out because its data failed, the first time only.
  virtual void on_skipped(const SkippedSample& sample) = 0;
  /// A line of news after an epoch: a lowered learning rate, another verdict on learning.
  virtual void on_note(const std::string& /*line*/) {}
  /// When a step changed no weight, because its loss or gradients were not finite.
  virtual void on_skipped_step(const SkippedStep& /*step*/) {}
};

struct RunOutcome {
  /// Epochs whose training pass was done in full.
  std::uint32_t num_epochs = 0;
  /// Ended early by the stop token; the weights of that moment are stored.
  bool was_stopped = false;
  /// RUN is there. It is not when a stop came before the first step.
  bool has_weights = false;
  /// The last epoch done in full, its validation included; none before the first.
  std::optional<EpochReport> last = {};
  /// The epoch that the stop cut short, when it had taken a step: in training, or in validation
  /// when its training pass was done.
  std::optional<EpochReport> partial = {};
  /// Why the run ended before its last epoch, when it was neither stopped nor failed; else empty.
  std::string end_reason = {};
  /// With early_stopping.restore_best_weights: the epoch of the weights that are stored.
  std::optional<std::uint32_t> best_epoch_idx = {};
  /// What the losses say about the learning; empty when there is nothing to say.
  std::string learning_verdict = {};
  std::uint64_t high_water_bytes = 0;
  /// What the training passes waited for, in words (streamer/pipeline/loader_stats.h).
  std::string loader_verdict = {};
  /// Of the training loader; zeros without one.
  CacheStats cache = {};
};

/// Trains and stores RUN/{run.toml, weights.safetensors, model.json, metrics.csv, metrics.jsonl}, each whole,
/// and skipped.csv when samples were left out. Weights are stored after every epoch; with
/// early_stopping.restore_best_weights after every one that is better than those before.
///
/// Stop    the step under way is finished, the weights are stored unless those of a best epoch are
/// Errors  AlreadyExists when RUN is there; OutOfMemory with the table of what was taken; those of
///         dataset, model and loader. Whatever ends the run after a first step, the weights so far
///         are kept unless they are no numbers; the message says which. Before that RUN is removed.
RunOutcome train_run(const RunConfig& config, RunObserver& observer, const std::stop_token& stop);

}  // namespace penstock::train
