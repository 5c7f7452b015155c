// What a training run is made of, put together before its first step: dataset, network, programs and
// loaders, all out of one memory limit.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "streamer/pipeline/loader.h"
#include "streamer/shard/dataset.h"
#include "train/backend/backend.h"
#include "train/graph/model_graph.h"
#include "train/loop/initial_weights.h"
#include "train/loop/program_set.h"
#include "train/loop/trainer.h"
#include "train/run/data/data_pipeline.h"
#include "train/run/data/loss_weights.h"
#include "train/run/memory/batch_planner.h"
#include "train/run/memory/device_memory.h"
#include "train/run/memory/memory_table.h"
#include "train/run/network/learning_plan.h"
#include "train/run/run_resolve.h"
#include "train/run/settings/run_identity.h"

namespace penstock::train {

class RunResume;
struct RunOverview;

/// How far a setup goes.
enum class SetupExtent : std::uint8_t {
  kTaken,  // memory is drawn, programs are bound, loaders are made
  kOneStep,  // the same, for one step alone: it comes as one batch, though it may be computed in parts
  kPlanned,  // none of that: what it would come to is known
};

/// Members in the order in which they are made. Programs are bound, parameters have their initial values,
/// loaders have not begun. Of a setup that is only planned, programs are not bound, and loaders are null.
///
/// Errors  those of dataset, model and loaders; OutOfMemory with the table of what was taken; Stopped
struct RunSetup {
  /// `resume` is where it goes on; null for a run from its start. `stop` is heeded between lowering, binding
  /// and drawing the programs: each takes seconds with a large network.
  explicit RunSetup(const RunConfig& run_config, RunResume* resume = nullptr,
                    SetupExtent extent = SetupExtent::kTaken, const std::stop_token& stop = {});
  RunSetup(const RunSetup&) = delete;
  RunSetup& operator=(const RunSetup&) = delete;

  Dataset dataset;
  ResolvedRun resolved;
  const RunConfig& config;  // the resolved one
  DatasetSplit train_split;
  std::uint64_t num_pass_samples;  // in a pass of training: drop_remainder leaves some out
  LossWeights loss_weights;        // of the training samples
  std::optional<DatasetSplit> validation_split;
  ModelGraph graph;
  std::optional<InitialWeights> initial_weights;  // of RunConfig::init_from, at the start of a run
  std::string initial_weights_digest;             // of that file; empty without
  LearningPlan learning;
  LossSpec loss;  // of training
  std::unique_ptr<Backend> backend;
  std::unique_ptr<ProgramSet> programs;
  /// How a step fits the memory limit; `config` says the same. The note is for people, and may be empty.
  BatchChoice batch;
  std::string batch_note;
  std::optional<DeviceLimit> device;  // where a GPU computes
  /// What programs have taken of its free memory by the first step, beside what was forecast: the arena's bytes.
  std::uint64_t device_used_bytes = 0;
  PipelineConfig pipeline;  // of the training loader
  RunIdentity identity;
  MemoryTable memory;
  std::unique_ptr<Loader> train_loader;
  std::unique_ptr<Loader> validation_loader;  // null without such a split

  /// Samples of the training split that a pass leaves out.
  std::uint64_t num_left_out() const { return train_split.num_samples() - num_pass_samples; }
  /// Steps of an epoch, as given or of a pass over the training split.
  std::uint64_t steps_per_epoch() const;
  TrainerConfig trainer_config() const;
  /// What a run draws beside network and loaders, with so many samples per step of validation.
  std::uint64_t bookkeeping_bytes(std::uint32_t evaluation_batch) const;

 private:
  void check_validations() const;
  std::vector<MemoryRow> bookkeeping_rows(std::uint32_t evaluation_batch) const;
  PipelineConfig validation_pipeline() const;
  void take_memory();
  void choose_batch(SetupExtent extent, const std::stop_token& stop);
  void plan_batch_of(std::uint32_t most_at_once, SetupExtent extent, const std::stop_token& stop);
  void occupy_device();
  void begin_params(const std::stop_token& stop);
  void make_loaders();
};

/// `resume_notes` are RunBefore::notes().
RunOverview overview_of(const RunSetup& setup, std::vector<std::string> resume_notes);

}  // namespace penstock::train
