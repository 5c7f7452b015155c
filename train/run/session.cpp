#include "train/run/session.h"

#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "streamer/core/error.h"
#include "train/graph/model_summary.h"
#include "train/loop/model_weights.h"
#include "train/loop/trainer.h"
#include "train/run/data_hint.h"
#include "train/run/epoch_judge.h"
#include "train/run/epoch_metrics.h"
#include "train/run/metrics_log.h"
#include "train/run/run_folder.h"
#include "train/run/run_record.h"
#include "train/run/run_setup.h"

namespace penstock::train {
namespace {

/// The epochs of one run.
class Session {
 public:
  Session(const RunConfig& config, RunObserver& observer, std::stop_token stop);
  RunOutcome run();

 private:
  RunOverview overview() const;
  void run_epoch(std::uint32_t epoch_idx, RunOutcome& outcome);
  void store(const RunOutcome& outcome);
  void store_weights(const RunOutcome& outcome);
  void write_skipped();
  void note_skipped(const DatasetSplit& split, std::uint32_t epoch_idx, const SampleEvent& event);
  void measure(EpochReport& report);
  void heed(const EpochVerdict& verdict, RunOutcome& outcome);
  bool is_validation_due() const;
  void validate_within(const EpochReport& report);
  MetricTable validation_metrics(const PassReport& pass) const;
  PassReport train_pass(EpochReport& report);
  PassReport validation_pass(const EpochReport& report);
  void run_epochs(RunOutcome& outcome);
  [[noreturn]] void end_by_error(const Error& error, const RunOutcome& outcome);

  RunObserver& observer_;
  std::stop_token stop_;
  RunSetup setup_;
  const RunConfig& config_;  // of the setup
  Trainer trainer_;
  RunMetrics metrics_;
  ValidationScores scores_;
  EpochJudge judge_;
  std::unique_ptr<RunFolder> folder_;
  std::unique_ptr<MetricsLog> log_;
  std::optional<SampleTally> tally_;  // of the pass under way, when epochs are pieces of passes
  SkippedSamples skipped_;
  bool has_unstored_steps_ = false;             // the weights are ahead of those on disk
  bool has_partial_steps_ = false;              // the weights are ahead of the last whole epoch
  bool has_best_stored_ = false;                // weights on disk that only better ones replace
  bool are_weights_proven_ = false;             // a validation found their scores to be numbers
  std::optional<std::uint32_t> stored_epochs_;  // that the weights on disk have seen
};

TrainerConfig trainer_config(const RunSetup& setup) {
  const std::uint64_t steps_per_epoch = setup.steps_per_epoch();
  return {.optimizer = setup.config.optimizer,
          .schedule = setup.config.schedule,
          .seed = setup.config.seed,
          .num_steps = steps_per_epoch * setup.config.epochs,
          .steps_per_epoch = steps_per_epoch,
          .nan_guard = setup.config.nan_guard};
}

Session::Session(const RunConfig& config, RunObserver& observer, std::stop_token stop)
    : observer_(observer),
      stop_(std::move(stop)),
      setup_(config),
      config_(setup_.config),
      trainer_(*setup_.programs, trainer_config(setup_)),
      metrics_{.num_classes = setup_.graph.num_classes(),
               .has_validation = setup_.validation_loader != nullptr},
      scores_(metrics_.num_classes),
      judge_(config_, metrics_.names(), metrics_.num_classes) {
  if (config_.steps_per_epoch > 0) tally_.emplace(setup_.train_split.num_samples());
  if (config_.validate_every_steps == 0 || metrics_.has_validation) return;
  throw Error(ErrorCode::kInvalidArgument,
              "run: validate_every_steps: expected a dataset with a split validation, found none",
              "validate_every_steps = 0");
}

std::string initial_weights_text(const RunSetup& setup) {
  if (!setup.initial_weights) return {};
  const InitialWeights& weights = *setup.initial_weights;
  return std::to_string(weights.num_tensors()) + " tensors" +
         (weights.new_head().empty() ? "" : "; " + weights.new_head());
}

std::vector<RunOverview::Learning> learning_of(const LearningPlan& plan) {
  std::vector<RunOverview::Learning> learning;
  for (std::size_t i = 0; i < plan.num_learning.size(); ++i) {
    learning.push_back(
        {plan.stages.empty() ? 0 : plan.stages[i].first_epoch, plan.num_learning[i]});
  }
  return learning;
}

RunOverview Session::overview() const {
  return {.config = config_,
          .num_train_samples = setup_.train_split.num_samples(),
          .num_validation_samples =
              setup_.validation_split ? setup_.validation_split->num_samples() : 0,
          .num_classes = setup_.graph.num_classes(),
          .num_params = summarize(setup_.graph).total.num_params,
          .learning = learning_of(setup_.learning),
          .initial_weights = initial_weights_text(setup_),
          .cores = setup_.resolved.cores,
          .backend = setup_.backend->description(),
          .memory = setup_.memory.rows(),
          .batch_memory = std::string(setup_.pipeline.host_memory->kind()),
          .identity_hash = setup_.identity.hash};
}

RunOutcome Session::run() {
  folder_ = std::make_unique<RunFolder>(config_);
  log_ = std::make_unique<MetricsLog>(
      MetricsLogConfig{.folder = folder_->path(), .metrics = metrics_.names()});
  observer_.on_start(overview());
  RunOutcome outcome;
  try {
    run_epochs(outcome);
  } catch (const Error& error) {
    end_by_error(error, outcome);
  }
  outcome.has_weights = stored_epochs_.has_value();
  outcome.learning_verdict = judge_.learning_line();
  if (judge_.keeps_best()) outcome.best_epoch_idx = judge_.best_epoch_idx();
  const LoaderStats loader = setup_.train_loader->detailed_stats();
  outcome.loader_verdict = verdict(loader).text;
  outcome.cache = loader.cache;
  outcome.high_water_bytes = setup_.memory.budget().high_water_bytes();
  return outcome;
}

/// Every failure leaves as an Error.
void Session::run_epochs(RunOutcome& outcome) {
  // A stop reaches a loader that waits for a slow disk.
  const std::stop_callback wake(stop_, [this] {
    setup_.train_loader->request_stop();
    if (setup_.validation_loader != nullptr) setup_.validation_loader->request_stop();
  });
  try {
    while (outcome.num_epochs < config_.epochs && !outcome.was_stopped &&
           outcome.end_reason.empty()) {
      run_epoch(outcome.num_epochs, outcome);
    }
    if (outcome.was_stopped || has_unstored_steps_) store(outcome);
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
class PassRelay : public PassObserver {
 public:
  PassRelay(RunObserver& observer, TellStep tell_step, TellSkipped tell_skipped)
      : observer_(observer),
        tell_step_(std::move(tell_step)),
        tell_skipped_(std::move(tell_skipped)) {}
  void on_step(const PassReport& so_far) override { tell_step_(so_far); }
  void on_skipped(const SampleEvent& event) override { tell_skipped_(event); }
  void on_skipped_step(const SkippedStep& step) override { observer_.on_skipped_step(step); }

 private:
  RunObserver& observer_;
  TellStep tell_step_;
  TellSkipped tell_skipped_;
};

/// The same of a training pass, in which a validation may be due.
template <class TellStep, class TellSkipped, class IsDue, class Validate>
class TrainRelay final : public PassRelay<TellStep, TellSkipped> {
 public:
  TrainRelay(PassRelay<TellStep, TellSkipped> relay, IsDue is_due, Validate validate)
      : PassRelay<TellStep, TellSkipped>(std::move(relay)),
        is_due_(std::move(is_due)),
        validate_(std::move(validate)) {}
  bool wants_settled(const PassReport&) override { return is_due_(); }
  void on_settled(const PassReport&) override { validate_(); }

 private:
  IsDue is_due_;
  Validate validate_;
};

void Session::note_skipped(const DatasetSplit& split, std::uint32_t epoch_idx,
                           const SampleEvent& event) {
  const SkippedSample* sample = skipped_.add(split, epoch_idx, event);
  if (sample != nullptr) observer_.on_skipped(*sample);
}

PassReport Session::train_pass(EpochReport& report) {
  are_weights_proven_ = false;
  TrainRelay relay(
      PassRelay(
          observer_,
          [&](const PassReport& so_far) {
            if (so_far.num_steps > 0) has_unstored_steps_ = has_partial_steps_ = true;
            report.train = so_far;
            observer_.on_train_step(report);
          },
          [&](const SampleEvent& event) {
            note_skipped(setup_.train_split, report.epoch_idx, event);
          }),
      [&] { return is_validation_due(); }, [&] { validate_within(report); });
  setup_.programs->begin_epoch(report.epoch_idx);
  return trainer_.train_epoch({.source = *setup_.train_loader,
                               .num_samples = setup_.train_split.num_samples(),
                               .observer = &relay,
                               .stop = stop_,
                               .num_steps = config_.steps_per_epoch,
                               .tally = tally_ ? &*tally_ : nullptr});
}

bool Session::is_validation_due() const {
  const std::uint32_t every = config_.validate_every_steps;
  return every > 0 && trainer_.state().num_steps % every == 0;
}

MetricTable Session::validation_metrics(const PassReport& pass) const {
  MetricTable metrics;
  add_validation(metrics, pass, scores_);
  return metrics;
}

/// Monitors and weights go by the epochs' ends: this is for whoever watches.
void Session::validate_within(const EpochReport& report) {
  EpochReport so_far = report;
  so_far.num_steps = trainer_.state().num_steps;
  so_far.validation = validation_pass(so_far);
  if (so_far.validation->was_stopped) return;  // so is the training
  const MetricTable metrics = validation_metrics(*so_far.validation);
  log_->add_validation(so_far, *so_far.validation, metrics);
  observer_.on_validation(so_far, metrics);
}

PassReport Session::validation_pass(const EpochReport& report) {
  PassRelay relay(
      observer_, [&](const PassReport& so_far) { observer_.on_validation_step(report, so_far); },
      [&](const SampleEvent& event) {
        note_skipped(*setup_.validation_split, report.epoch_idx, event);
      });
  scores_.clear();
  return evaluate_epoch(*setup_.programs,
                        {.source = *setup_.validation_loader,
                         .num_samples = setup_.validation_split->num_samples(),
                         .observer = &relay,
                         .stop = stop_},
                        &scores_);
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
  if (setup_.validation_loader != nullptr) {
    const PassReport validation = validation_pass(report);
    if (validation.was_stopped) {
      outcome.was_stopped = true;
      outcome.partial = report;
      return;
    }
    report.validation = validation;
    are_weights_proven_ = true;
  }
  measure(report);
  outcome.last = report;
  const EpochVerdict verdict = judge_.judge(report);
  // Weights that may have diverged wait for a step or a validation that says otherwise.
  const bool are_doubtful = trainer_.has_diverged() && !are_weights_proven_;
  if (!are_doubtful && (verdict.is_best || !judge_.keeps_best())) {
    store_weights(outcome);
    has_best_stored_ = judge_.keeps_best();
  }
  write_skipped();
  if (report.validation) {
    log_->add_validation(report, *report.validation, validation_metrics(*report.validation));
  }
  log_->add_epoch(report);
  observer_.on_epoch(report);
  heed(verdict, outcome);
}

void Session::measure(EpochReport& report) {
  report.num_steps = trainer_.state().num_steps;
  add_training(report.metrics, report.train);
  if (report.validation) add_validation(report.metrics, *report.validation, scores_);
}

void Session::heed(const EpochVerdict& verdict, RunOutcome& outcome) {
  if (verdict.peak_learning_rate) trainer_.set_peak_learning_rate(*verdict.peak_learning_rate);
  for (const std::string& note : verdict.notes) observer_.on_note(note);
  if (outcome.num_epochs < config_.epochs) outcome.end_reason = verdict.end_reason;
}

/// Brings RUN up to date; before the first step there is nothing to bring.
void Session::store(const RunOutcome& outcome) {
  if (has_unstored_steps_ && !has_best_stored_) store_weights(outcome);
  write_skipped();
}

void Session::write_skipped() {
  if (stored_epochs_ && !skipped_.list().empty()) folder_->write_skipped(skipped_);
}

void Session::store_weights(const RunOutcome& outcome) {
  if (trainer_.has_diverged() && !are_weights_proven_) {
    throw Error(ErrorCode::kInvalidArgument,
                "weights: expected a loss that is a number, found none with these");
  }
  const TensorFile weights{.tensors = export_weights(setup_.programs->any_program()),
                           .metadata = {{"format", "penstock"}}};
  save_model(folder_->path(), model_record(setup_, outcome.num_epochs, outcome.last), weights);
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
  if (has_best_stored_) {
    if (!failure.empty() && failure != error.what()) message += "; " + failure;
    message += "; the best weights, after " + epochs(*stored_epochs_) + ", are in " + folder;
  } else if (has_unstored_steps_) {
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
