#include "train/run/run_setup.h"

#include <algorithm>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/core/shell_quoted.h"
#include "train/backend/initial_params.h"
#include "train/loop/checkpoint_tensors.h"
#include "train/loop/sample_tally.h"
#include "train/loop/stream_cut.h"
#include "train/run/data/crop_size.h"
#include "train/run/data/unlabelled_batch.h"
#include "train/run/epoch/epoch_metrics.h"
#include "train/run/folder/run_folder.h"
#include "train/run/folder/run_hints.h"
#include "train/run/memory/step_probe.h"
#include "train/run/network/run_loss.h"
#include "train/run/network/run_model.h"
#include "train/run/run_resume.h"
#include "train/run/settings/batch_element.h"
#include "train/run/settings/device_choice.h"
#include "train/run/stop_check.h"

namespace penstock::train {
namespace {

/// Loaders count passes in 32 bits; no run gets so far.
std::uint32_t whole_u32(std::uint64_t count) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX));
}

/// Sizes are the planner's.
ProgramSetConfig program_config(const RunConfig& config, const LearningPlan& learning,
                                const LossSpec& loss) {
  return {.pixel_norm = pixel_norm_of(augment_of(config), num_channels(config.color_mode)),
          .compute = config.precision,
          .optimizer = config.optimizer,
          .param_rates = learning.param_rates,
          .stages = learning.stages,
          .loss = loss,
          .label_form = label_form_of(config.augment, PipelineUse::kTrain)};
}

/// Of what the dataset's splits for a run hold, where a GPU makes the pixels; else 0.
std::uint32_t crop_bytes_of(const RunConfig& config, const DatasetSplit& training,
                            const std::optional<DatasetSplit>& validation) {
  if (!config.is_augmented_on_gpu()) return 0;
  std::vector<const DatasetSplit*> splits = {&training};
  if (validation) splits.push_back(&*validation);
  return crop_bytes_for(splits, augment_of(config),
                        {.height_px = config.image_height_px,
                         .width_px = config.image_width_px,
                         .channels = num_channels(config.color_mode)});
}

std::unique_ptr<Backend> make_run_backend(const ResolvedRun& run, std::uint32_t crop_bytes,
                                          const RunResume* resume) {
  const RunConfig& config = run.config;
  BackendSettings settings{.num_threads = run.cores.num_compute,
                           .is_deterministic = config.deterministic,
                           .workspace_cap_bytes = workspace_cap_bytes(config.memory_gpu_bytes)};
  if (config.is_on_gpu()) {
    settings.crop_bytes = crop_bytes;
    if (crop_bytes == 0) settings.batch_element = gpu_batch_element(config);
    if (resume != nullptr) settings.plans = resume->plans();
  }
  return make_backend(backend_on(config.device, config.backend), settings);
}

/// What a step of training leaves out of each pass when it is not whole; 0: nothing. A step that is an epoch
/// leaves nothing over.
std::uint64_t remainder_of(const RunConfig& config) {
  static_assert(kWholeEpoch == 0);
  return config.drop_remainder ? config.batch_size : 0;
}

std::uint64_t samples_of_pass(const RunConfig& config, std::uint64_t num_samples) {
  const std::uint64_t step_samples = remainder_of(config);
  if (step_samples == 0) return num_samples;
  if (num_samples >= step_samples) return num_samples - num_samples % step_samples;
  const std::string found = std::to_string(num_samples);
  throw Error(ErrorCode::kInvalidArgument,
              "run: drop_remainder: expected a training split of at least one batch of " +
                  std::to_string(step_samples) + " samples, found " + found +
                  ": all of them would be left out",
              "--batch-size " + found + ", or --drop-remainder false");
}

std::uint64_t steps_per_pass(const RunConfig& config, std::uint64_t num_samples) {
  return config.batch_size == kWholeEpoch ? 1 : steps_of(num_samples, config.batch_size);
}

/// Passes over the training split that the run's steps begin.
std::uint32_t num_train_passes(const RunConfig& config, std::uint64_t num_samples) {
  if (config.steps_per_epoch == 0) return config.epochs;
  const std::uint64_t num_steps = std::uint64_t{config.epochs} * config.steps_per_epoch;
  return whole_u32(steps_of(num_steps, steps_per_pass(config, num_samples)));
}

/// At most: one after each epoch, and those within.
std::uint32_t num_validations(const RunConfig& config, std::uint64_t num_steps) {
  if (config.validate_every_steps == 0) return config.epochs;
  return whole_u32(config.epochs + num_steps / config.validate_every_steps);
}

std::uint64_t tally_bytes(const DatasetSplit& training,
                          const std::optional<DatasetSplit>& validation) {
  return SampleTally::bytes_for(training.num_samples() +
                                (validation ? validation->num_samples() : 0));
}

/// Of a validation on so many samples at once: scores beside labels, weights and ids.
std::uint64_t score_bytes(std::uint32_t num_classes, std::uint32_t num_samples) {
  const std::uint64_t sample_bytes =
      num_classes * sizeof(float) + sizeof(std::uint32_t) + sizeof(float) + sizeof(std::uint64_t);
  return ValidationScores::bytes_for(num_classes) + num_samples * sample_bytes;
}

/// "test of 40 samples, validation of 1 sample"
std::string filled_splits(const Manifest& manifest) {
  std::string text;
  for (const ManifestSplit& split : manifest.splits) {
    if (split.num_samples == 0) continue;
    text += (text.empty() ? "" : ", ") + split.name + " of " + std::to_string(split.num_samples) +
            (split.num_samples == 1 ? " sample" : " samples");
  }
  return text;
}

/// What other splits hold can be divided anew.
DatasetSplit open_train_split(const Dataset& dataset) {
  const ManifestSplit* split = dataset.manifest().find_split("train");
  if (split != nullptr && split->num_samples > 0) return dataset.split("train");
  const std::string there = filled_splits(dataset.manifest());
  const std::string folder = shell_quoted(dataset.folder().native());
  throw Error(
      ErrorCode::kInvalidArgument,
      "dataset: " + dataset.folder().native() + ": expected a split train with samples, found " +
          (there.empty() ? "no samples" : there),
      there.empty()
          ? "penstock inspect " + folder + " says what is there"
          : "to draw the splits again: penstock convert " + folder + " OTHER.ds --split-anew");
}

std::optional<DatasetSplit> open_validation_split(const Dataset& dataset) {
  const ManifestSplit* split = dataset.manifest().find_split("validation");
  if (split == nullptr || split->num_samples == 0) return std::nullopt;
  return dataset.split("validation");
}

/// A run that goes on may have lost its dataset to another place.
Dataset open_dataset(const RunConfig& config, bool is_resumed) {
  try {
    return Dataset::open(config.dataset);
  } catch (const Error& error) {
    if (!is_resumed || error.code() != ErrorCode::kNotFound) throw;
    throw Error(error.code(), error.what(),
                "where the dataset is now: penstock train NEWPLACE -o " +
                    shell_quoted(config.out.native()) + " --resume",
                error.os_error());
  }
}

std::optional<InitialWeights> open_initial_weights(const RunConfig& config,
                                                   const ModelGraph& graph) {
  if (config.init_from.empty()) return std::nullopt;
  try {
    return InitialWeights::open(config.init_from, graph);
  } catch (const Error& error) {
    const std::filesystem::path folder = std::filesystem::is_directory(config.init_from)
                                             ? config.init_from
                                             : config.init_from.parent_path();
    if (has_run(folder)) throw with_way_back(error, folder);
    if (error.code() != ErrorCode::kNotFound) throw;
    throw Error(error.code(), error.what(), "--init-from takes a safetensors file or a run",
                error.os_error());
  }
}

}  // namespace

RunSetup::RunSetup(const RunConfig& run_config, RunResume* resume, SetupExtent extent,
                   const std::stop_token& stop)
    : dataset(open_dataset(run_config, resume != nullptr)),
      resolved(resolve_run(run_config, dataset.manifest())),
      config(resolved.config),
      train_split(open_train_split(dataset)),
      num_pass_samples(samples_of_pass(config, train_split.num_samples())),
      loss_weights(read_loss_weights(config.loss_weights, train_split, config.memory_bytes)),
      validation_split(open_validation_split(dataset)),
      graph(build_run_model(config, num_channels(config.color_mode),
                            static_cast<std::uint32_t>(dataset.manifest().class_names.size()))),
      initial_weights(resume != nullptr ? std::nullopt : open_initial_weights(config, graph)),
      initial_weights_digest(initial_weights     ? hex(initial_weights->seal().digest)
                             : resume != nullptr ? resume->initial_weights_digest()
                                                 : std::string()),
      learning(plan_learning(config, graph)),
      loss(loss_of(config, dataset.manifest().find_split("train")->num_by_class)),
      backend(
          make_run_backend(resolved, crop_bytes_of(config, train_split, validation_split), resume)),
      pipeline{.batch = backend->input_spec(graph, config.batch_size, config.precision),
               .augment = augment_of(config),
               .order = config.order,
               .window_bytes = config.window_bytes,
               .seed = config.seed,
               .remainder_of = remainder_of(config),
               .loss_weights = loss_weights.by_sample,
               .cores = resolved.cores,
               .cache = config.cache,
               .num_epochs = num_train_passes(config, num_pass_samples),
               .host_memory = backend->batch_memory()},
      memory(config.memory_bytes) {
  device = device_limit(*backend, config.memory_gpu_bytes);
  check_validations();
  choose_batch(extent, stop);
  identity =
      run_identity({.config = config,
                    .graph = graph,
                    .pipeline = pipeline_identity(train_split, pipeline, PipelineUse::kTrain),
                    .backend = backend->description(),
                    .initial_weights = initial_weights_digest});
  if (resume != nullptr) resume->join(*this);
  if (extent == SetupExtent::kPlanned) return;
  take_memory();
  check_not_stopped(stop);
  if (!programs->is_bound()) programs->bind();
  check_not_stopped(stop);
  if (resume != nullptr) {
    resume->restore(*this);
  } else {
    begin_params(stop);
  }
}

/// Draws what no file gives.
void RunSetup::begin_params(const std::stop_token& stop) {
  Program& program = programs->any_program();
  const InitialDraw how{.seed = config.seed, .num_threads = resolved.cores.num_compute};
  if (!initial_weights) return draw_all_params(program, graph, how);
  draw_params(program, graph, initial_weights->new_params(), how);
  check_not_stopped(stop);
  initial_weights->load(program);
}

void RunSetup::check_validations() const {
  if (config.validate_every_steps == 0 || validation_split) return;
  throw Error(ErrorCode::kInvalidArgument,
              "run: validate_every_steps: expected a dataset with a split validation, found none",
              "--validate-every-steps 0; or validation samples: penstock convert " +
                  shell_quoted(config.dataset.native()) + " OTHER.ds --split-anew");
}

void RunSetup::take_memory() {
  draw_arena(programs->plan(), device, memory);
  for (const MemoryRow& row : bookkeeping_rows(config.evaluation_batch())) {
    memory.draw(row.bytes, row.what);
  }
  make_loaders();
}

/// On a GPU the forecast is tried out: what libraries take besides nobody knows before.
void RunSetup::choose_batch(SetupExtent extent, const std::stop_token& stop) {
  plan_batch_of(0, extent, stop);
  if (!device || extent == SetupExtent::kPlanned) return;
  std::string shortages;
  while (true) {
    const BudgetShare share =
        memory.keep(UnlabelledBatch::bytes_for(pipeline.batch), "a step to try the GPU with");
    try {
      occupy_device();
      batch_note += shortages;
      return;
    } catch (const Error& error) {
      const std::uint32_t too_many = batch.micro_batch;
      if (error.code() != ErrorCode::kOutOfMemory || !config.auto_batch || too_many == 1) throw;
      check_not_stopped(stop);
      programs.reset();
      shortages += "; no room for " + std::to_string(too_many) + " at a time: " + error.what();
      plan_batch_of(too_many / 2, extent, stop);
    }
  }
}

/// Binds the programs there, and runs what takes memory once.
void RunSetup::occupy_device() {
  const std::uint64_t free_bytes = backend->device_room()->free_bytes;
  programs->bind();
  BatchSpec spec = pipeline.batch;
  spec.label_form = label_form_of(config.augment, PipelineUse::kTrain);
  if (spec.label_form == LabelForm::kTargets) spec.num_targets = graph.num_classes();
  probe_step(*programs, spec);
  device_used_bytes = free_bytes - std::min(free_bytes, backend->device_room()->free_bytes);
}

/// With at most so many samples at a time; 0 for as many as fit.
void RunSetup::plan_batch_of(std::uint32_t most_at_once, SetupExtent extent,
                             const std::stop_token& stop) {
  const bool is_one_step = extent == SetupExtent::kOneStep;
  if (is_one_step) pipeline.num_slots = 2;  // the step's, and the one that must not be lent out
  const auto bytes_beside = [&](const BatchChoice& choice) {
    PipelineConfig training = pipeline;
    training.batch.batch = choice.lease_batch;
    PipelineConfig validation = pipeline;
    validation.batch.batch =
        config.validation_batch_size > 0 ? config.validation_batch_size : choice.micro_batch;
    const std::uint64_t bytes = bookkeeping_bytes(validation.batch.batch) +
                                least_loader_bytes(train_split, training, PipelineUse::kTrain);
    if (!validation_split) return bytes;
    return bytes + least_loader_bytes(*validation_split, validation, PipelineUse::kEvaluate);
  };
  PlannedBatch planned =
      plan_batch({.backend = *backend,
                  .graph = graph,
                  .programs = program_config(config, learning, loss),
                  .num_train_samples = num_pass_samples,
                  .evaluation_batch = config.validation_batch_size,
                  .limit_bytes = config.memory_bytes,
                  .device = device,
                  .runs_trials = extent != SetupExtent::kPlanned,
                  .bytes_beside = bytes_beside,
                  .stop = stop},
                 {.batch_size = config.batch_size,
                  .micro_batch = config.micro_batch,
                  .most_at_once = most_at_once,
                  .recompute = config.recompute,
                  .may_cut = config.auto_batch,
                  .mixes_samples = config.augment.mixup > 0 || config.augment.cutmix > 0,
                  .is_delivered_whole = is_one_step});
  batch = planned.choice;
  batch_note = std::move(planned.note);
  programs = std::move(planned.programs);
  pipeline.batch.batch = batch.lease_batch;
  const bool is_whole = batch.micro_batch == batch.step_samples && config.batch_size != kWholeEpoch;
  resolved.config.micro_batch = is_whole ? config.batch_size : batch.micro_batch;
}

std::uint64_t RunSetup::steps_per_epoch() const {
  if (config.steps_per_epoch > 0) return config.steps_per_epoch;
  return steps_per_pass(config, num_pass_samples);
}

TrainerConfig RunSetup::trainer_config() const {
  return {.optimizer = config.optimizer,
          .schedule = config.schedule,
          .seed = config.seed,
          .num_steps = steps_per_epoch() * config.epochs,
          .steps_per_epoch = steps_per_epoch(),
          .nan_guard = config.nan_guard};
}

std::vector<MemoryRow> RunSetup::bookkeeping_rows(std::uint32_t evaluation_batch) const {
  std::vector<MemoryRow> rows = {
      {"tally of samples seen", tally_bytes(train_split, validation_split)}};
  if (loss_weights.by_sample) rows.push_back({"weights in the loss", loss_weights.bytes()});
  if (validation_split) {
    rows.push_back({"validation metrics", score_bytes(graph.num_classes(), evaluation_batch)});
  }
  rows.push_back({"copy for checkpoints", largest_tensor_bytes(graph.parameters())});
  return rows;
}

std::uint64_t RunSetup::bookkeeping_bytes(std::uint32_t evaluation_batch) const {
  std::uint64_t bytes = 0;
  for (const MemoryRow& row : bookkeeping_rows(evaluation_batch)) bytes += row.bytes;
  return bytes;
}

PipelineConfig RunSetup::validation_pipeline() const {
  PipelineConfig validation = pipeline;
  validation.batch = backend->input_spec(graph, config.evaluation_batch(), config.precision);
  validation.num_epochs = num_validations(config, steps_per_epoch() * config.epochs);
  return validation;
}

void RunSetup::make_loaders() {
  // Large pictures would let the training loader take all that is left.
  BudgetShare kept;
  if (validation_split) {
    kept = memory.keep(
        least_loader_bytes(*validation_split, validation_pipeline(), PipelineUse::kEvaluate),
        "validation loader");
  }
  train_loader = memory.make("training loader", [&](MemoryBudget& budget) {
    return make_loader(train_split, pipeline, PipelineUse::kTrain, budget);
  });
  kept.reset();
  if (validation_split) {
    validation_loader = memory.make("validation loader", [&](MemoryBudget& budget) {
      return make_loader(*validation_split, validation_pipeline(), PipelineUse::kEvaluate, budget);
    });
  }
}

}  // namespace penstock::train
