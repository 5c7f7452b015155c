#include "train/run/session.h"

#include <cmath>
#include <exception>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "streamer/core/error.h"
#include "train/graph/model_summary.h"
#include "train/loop/model_weights.h"
#include "train/loop/program_set.h"
#include "train/loop/trainer.h"
#include "train/run/batch_memory.h"
#include "train/run/data_hint.h"
#include "train/run/data_pipeline.h"
#include "train/run/memory_table.h"
#include "train/run/run_folder.h"
#include "train/run/run_identity.h"
#include "train/run/run_model.h"
#include "train/run/run_resolve.h"

namespace penstock::train {
namespace {

/// Everything a run is made of, put together in the order of its members.
class Session {
 public:
  Session(const RunConfig& config, RunObserver& observer, std::stop_token stop);
  RunOutcome run();

 private:
  void take_memory();
  RunOverview overview() const;
  void run_epoch(std::uint32_t epoch_idx, RunOutcome& outcome);
  void store(const RunOutcome& outcome);
  void store_weights(const RunOutcome& outcome);
  void note_skipped(const DatasetSplit& split, std::uint32_t epoch_idx, const SampleEvent& event);
  PassReport train_pass(EpochReport& report);
  PassReport validation_pass(const EpochReport& report);
  void run_epochs(RunOutcome& outcome);
  [[noreturn]] void end_by_error(const Error& error, const RunOutcome& outcome);

  RunObserver& observer_;
  std::stop_token stop_;
  Dataset dataset_;
  ResolvedRun resolved_;
  const RunConfig& config_;  // the resolved one
  DatasetSplit train_split_;
  std::optional<DatasetSplit> validation_split_;
  ModelGraph graph_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<ProgramSet> programs_;
  PipelineConfig pipeline_;
  RunIdentity identity_;
  MemoryTable memory_;
  std::unique_ptr<Loader> train_loader_;
  std::unique_ptr<Loader> validation_loader_;
  std::unique_ptr<Trainer> trainer_;
  std::unique_ptr<RunFolder> folder_;
  SkippedSamples skipped_;
  bool has_unstored_steps_ = false;             // the weights are ahead of those on disk
  bool has_partial_steps_ = false;              // the weights are ahead of the last whole epoch
  std::optional<std::uint32_t> stored_epochs_;  // that the weights on disk have seen
};

ProgramSetConfig program_config(const RunConfig& config, std::uint64_t num_samples) {
  return {.train_batch = config.batch_size,
          .num_train_samples = num_samples,
          .evaluation_batch = config.batch_size,
          .optimizer = config.optimizer,
          .loss = {.label_smoothing = config.label_smoothing},
          .label_form = label_form_of(config.augment, PipelineUse::kTrain)};
}

DatasetSplit open_train_split(const Dataset& dataset) {
  DatasetSplit split = dataset.split("train");
  if (split.num_samples() > 0) return split;
  throw Error(ErrorCode::kInvalidArgument, "dataset: " + dataset.folder().native() +
                                               ": split train: expected samples, found none");
}

std::optional<DatasetSplit> open_validation_split(const Dataset& dataset) {
  const ManifestSplit* split = dataset.manifest().find_split("validation");
  if (split == nullptr || split->num_samples == 0) return std::nullopt;
  return dataset.split("validation");
}

Session::Session(const RunConfig& config, RunObserver& observer, std::stop_token stop)
    : observer_(observer),
      stop_(std::move(stop)),
      dataset_(Dataset::open(config.dataset)),
      resolved_(resolve_run(config, dataset_.manifest())),
      config_(resolved_.config),
      train_split_(open_train_split(dataset_)),
      validation_split_(open_validation_split(dataset_)),
      graph_(build_run_model(config_, num_channels(config_.color_mode),
                             static_cast<std::uint32_t>(dataset_.manifest().class_names.size()))),
      backend_(make_backend(config_.backend, {.num_threads = resolved_.cores.num_compute})),
      pipeline_{.batch = backend_->input_spec(graph_, config_.batch_size),
                .augment = augment_of(config_),
                .order = config_.order,
                .window_bytes = config_.window_bytes,
                .seed = config_.seed,
                .cores = resolved_.cores,
                .cache = config_.cache,
                .num_epochs = config_.epochs,
                // As asked for: "auto" may take pinned memory, though the network runs on the CPU.
                .host_memory = batch_memory(config.device)},
      memory_(config_.memory_bytes) {
  const std::string pipeline = pipeline_identity(train_split_, pipeline_, PipelineUse::kTrain);
  identity_ = run_identity({.config = config_,
                            .graph = graph_,
                            .pipeline = pipeline,
                            .backend = backend_->description()});
  take_memory();
}

void Session::take_memory() {
  const std::uint64_t num_train = train_split_.num_samples();
  programs_ = std::make_unique<ProgramSet>(*backend_, graph_, program_config(config_, num_train));
  memory_.draw(programs_->plan().arena_bytes, "network and its activations");
  const std::uint64_t num_tallied =
      num_train + (validation_split_ ? validation_split_->num_samples() : 0);
  memory_.draw(SampleTally::bytes_for(num_tallied), "tally of samples seen");
  // Large pictures would let the training loader take all that is left.
  BudgetShare kept;
  if (validation_split_) {
    kept = memory_.keep(least_loader_bytes(*validation_split_, pipeline_, PipelineUse::kEvaluate),
                        "validation loader");
  }
  train_loader_ = memory_.make("training loader", [&](MemoryBudget& budget) {
    return make_loader(train_split_, pipeline_, PipelineUse::kTrain, budget);
  });
  kept.reset();
  if (validation_split_) {
    validation_loader_ = memory_.make("validation loader", [&](MemoryBudget& budget) {
      return make_loader(*validation_split_, pipeline_, PipelineUse::kEvaluate, budget);
    });
  }
  programs_->bind();
  initialize_params(programs_->any_program(), graph_, config_.seed);
  const std::uint64_t steps_per_epoch = train_loader_->num_batches_per_epoch();
  trainer_ = std::make_unique<Trainer>(*programs_,
                                       TrainerConfig{.optimizer = config_.optimizer,
                                                     .schedule = config_.schedule,
                                                     .seed = config_.seed,
                                                     .num_steps = steps_per_epoch * config_.epochs,
                                                     .steps_per_epoch = steps_per_epoch});
}

RunOverview Session::overview() const {
  return {.config = config_,
          .num_train_samples = train_split_.num_samples(),
          .num_validation_samples = validation_split_ ? validation_split_->num_samples() : 0,
          .num_classes = graph_.num_classes(),
          .num_params = summarize(graph_).total.num_params,
          .cores = resolved_.cores,
          .backend = backend_->description(),
          .memory = memory_.rows(),
          .batch_memory = std::string(pipeline_.host_memory->kind()),
          .identity_hash = identity_.hash};
}

RunOutcome Session::run() {
  folder_ = std::make_unique<RunFolder>(config_);
  observer_.on_start(overview());
  RunOutcome outcome;
  try {
    run_epochs(outcome);
  } catch (const Error& error) {
    end_by_error(error, outcome);
  }
  outcome.has_weights = stored_epochs_.has_value();
  const LoaderStats loader = train_loader_->detailed_stats();
  outcome.loader_verdict = verdict(loader).text;
  outcome.cache = loader.cache;
  outcome.high_water_bytes = memory_.budget().high_water_bytes();
  return outcome;
}

/// Every failure leaves as an Error.
void Session::run_epochs(RunOutcome& outcome) {
  // A stop reaches a loader that waits for a slow disk.
  const std::stop_callback wake(stop_, [this] {
    train_loader_->request_stop();
    if (validation_loader_ != nullptr) validation_loader_->request_stop();
  });
  try {
    while (outcome.num_epochs < config_.epochs && !outcome.was_stopped) {
      run_epoch(outcome.num_epochs, outcome);
    }
    if (outcome.was_stopped) store(outcome);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kOutOfMemory,
                "memory: training: expected the machine to grant an allocation, found it refused",
                "lower --batch-size or --memory");
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kInternal, std::string("training: ") + error.what());
  }
}

/// Passes on what happens in one pass.
template <class TellStep, class TellSkipped>
class PassRelay final : public PassObserver {
 public:
  PassRelay(TellStep tell_step, TellSkipped tell_skipped)
      : tell_step_(std::move(tell_step)), tell_skipped_(std::move(tell_skipped)) {}
  void on_step(const PassReport& so_far) override { tell_step_(so_far); }
  void on_skipped(const SampleEvent& event) override { tell_skipped_(event); }

 private:
  TellStep tell_step_;
  TellSkipped tell_skipped_;
};

void Session::note_skipped(const DatasetSplit& split, std::uint32_t epoch_idx,
                           const SampleEvent& event) {
  const SkippedSample* sample = skipped_.add(split, epoch_idx, event);
  if (sample != nullptr) observer_.on_skipped(*sample);
}

PassReport Session::train_pass(EpochReport& report) {
  PassRelay relay(
      [&](const PassReport& so_far) {
        if (so_far.num_steps > 0) has_unstored_steps_ = has_partial_steps_ = true;
        report.train = so_far;
        observer_.on_train_step(report);
      },
      [&](const SampleEvent& event) { note_skipped(train_split_, report.epoch_idx, event); });
  return trainer_->train_epoch({.source = *train_loader_,
                                .num_samples = train_split_.num_samples(),
                                .observer = &relay,
                                .stop = stop_});
}

PassReport Session::validation_pass(const EpochReport& report) {
  PassRelay relay(
      [&](const PassReport& so_far) { observer_.on_validation_step(report, so_far); },
      [&](const SampleEvent& event) { note_skipped(*validation_split_, report.epoch_idx, event); });
  return evaluate_epoch(*programs_, {.source = *validation_loader_,
                                     .num_samples = validation_split_->num_samples(),
                                     .observer = &relay,
                                     .stop = stop_});
}

void Session::run_epoch(std::uint32_t epoch_idx, RunOutcome& outcome) {
  EpochReport report{.epoch_idx = epoch_idx, .num_epochs = config_.epochs};
  report.train = train_pass(report);
  if (report.train.was_stopped) {
    outcome.was_stopped = true;
    if (report.train.num_steps > 0) outcome.partial = report;
    return;
  }
  ++outcome.num_epochs;
  has_partial_steps_ = false;
  if (validation_loader_ != nullptr) {
    const PassReport validation = validation_pass(report);
    if (validation.was_stopped) {
      outcome.was_stopped = true;
      outcome.partial = report;
      return;
    }
    report.validation = validation;
  }
  outcome.last = report;
  store(outcome);
  folder_->add_metrics(report);
  observer_.on_epoch(report);
}

/// Figures of the last epoch that was validated too; "epoch" says which one, counted from 1.
std::map<std::string, double> metrics_of(const std::optional<EpochReport>& report) {
  std::map<std::string, double> metrics;
  if (!report) return metrics;
  const auto add = [&](const char* name, double value) {
    if (std::isfinite(value)) metrics[name] = value;
  };
  add("epoch", report->epoch_idx + 1);
  add("train_loss", report->train.totals.loss());
  add("train_top1", report->train.totals.top1());
  if (report->validation) {
    add("validation_loss", report->validation->totals.loss());
    add("validation_top1", report->validation->totals.top1());
  }
  return metrics;
}

/// Brings RUN up to date; before the first step there is nothing to bring.
void Session::store(const RunOutcome& outcome) {
  if (has_unstored_steps_) store_weights(outcome);
  if (stored_epochs_ && !skipped_.list().empty()) folder_->write_skipped(skipped_);
}

void Session::store_weights(const RunOutcome& outcome) {
  if (trainer_->has_diverged()) {
    throw Error(ErrorCode::kInvalidArgument,
                "weights: expected a loss that is a number, found none with these");
  }
  const TensorFile weights{.tensors = export_weights(programs_->any_program()),
                           .metadata = {{"format", "penstock"}}};
  const ModelRecord record{
      .model_name = config_.model,
      .model_layers = config_.model_layers,
      .graph_identity = graph_.identity(),
      .height_px = config_.image_height_px,
      .width_px = config_.image_width_px,
      .channels = num_channels(config_.color_mode),
      .batch_size = config_.batch_size,
      .decode_scaling = std::string(decode_scaling_name(config_.augment.decode_scaling)),
      .center_crop = config_.augment.center_crop,
      .interpolation = std::string(interpolation_name(config_.augment.interpolation)),
      .mean = config_.mean,
      .std = config_.std,
      .class_names = dataset_.manifest().class_names,
      .dataset_id = dataset_.manifest().id,
      .conversion = dataset_.manifest().conversion,
      .identity = identity_.text,
      .num_epochs = outcome.num_epochs,
      .metrics = metrics_of(outcome.last)};
  save_model(folder_->path(), record, weights);
  folder_->keep();
  stored_epochs_ = outcome.num_epochs;
  has_unstored_steps_ = false;
}

void Session::end_by_error(const Error& error, const RunOutcome& outcome) {
  const std::string folder = folder_->path().native();
  const auto epochs = [](std::uint32_t count) {
    return std::to_string(count) + (count == 1 ? " whole epoch" : " whole epochs");
  };
  const std::string since = has_partial_steps_ ? " and the steps since" : "";
  std::string failure;
  try {
    store(outcome);
  } catch (const std::exception& second) {
    failure = second.what();
  }
  std::string message = error.what();
  if (has_unstored_steps_) {
    message += "; these weights were not stored (" + failure + ")";
    if (stored_epochs_) message += "; those after " + epochs(*stored_epochs_) + " are in " + folder;
  } else if (stored_epochs_) {
    if (!failure.empty() && failure != error.what()) message += "; " + failure;
    message += "; the weights after " + epochs(*stored_epochs_) + since + " are in " + folder;
  }
  throw Error(error.code(), message, error.hint());
}

}  // namespace

RunOutcome train_run(const RunConfig& config, RunObserver& observer, const std::stop_token& stop) {
  check_run_folder_is_free(config.out);
  return with_data_hint(config.dataset, [&] { return Session(config, observer, stop).run(); });
}

}  // namespace penstock::train
