#include "train/run/session.h"

#include <cerrno>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "streamer/core/error.h"
#include "train/loop/model_weights.h"
#include "train/loop/trainer.h"
#include "train/run/data_hint.h"
#include "train/run/epoch_judge.h"
#include "train/run/epoch_metrics.h"
#include "train/run/metrics_log.h"
#include "train/run/run_checkpoints.h"
#include "train/run/run_folder.h"
#include "train/run/run_progress.h"
#include "train/run/run_record.h"
#include "train/run/run_setup.h"

namespace penstock::train {
namespace {

/// The epochs of one run.
class Session {
 public:
  Session(const RunConfig& config, RunObserver& observer, std::stop_token stop, RunBefore before);
  RunOutcome run();

 private:
  void open_folder();
  void restore();
  void run_epoch(RunOutcome& outcome);
  void end_epoch(EpochReport report, RunOutcome& outcome);
  void store_epoch(const EpochReport& report, bool is_best, const RunOutcome& outcome);
  void store(const RunOutcome& outcome);
  void store_log();
  void store_checkpoint(const RunProgress& progress);
  void stop_for_time();
  RunProgress progress_of(const RunOutcome& outcome) const;
  std::optional<PassStart> start_of_pass();
  void store_weights(const RunOutcome& outcome);
  void write_skipped();
  void note_skipped(const DatasetSplit& split, std::uint32_t epoch_idx, const SampleEvent& event);
  void measure(EpochReport& report);
  void heed(const EpochVerdict& verdict, RunOutcome& outcome);
  PassReport train_pass(EpochReport& report, const RunOutcome& outcome);
  bool is_validation_due() const;
  void validate_within(const EpochReport& report);
  MetricTable validation_metrics(const PassReport& pass) const;
  PassReport validation_pass(const EpochReport& report);
  void run_epochs(RunOutcome& outcome);
  [[noreturn]] void end_by_error(const Error& error, const RunOutcome& outcome);

  RunObserver& observer_;
  std::stop_token stop_;
  RunBefore before_;
  CheckpointClock clock_;  // before what takes time to make: max_time counts it
  RunSetup setup_;
  const RunConfig& config_;  // of the setup
  Trainer trainer_;
  RunMetrics metrics_;
  ValidationScores scores_;
  EpochJudge judge_;
  RunCheckpoints checkpoints_;
  std::unique_ptr<RunFolder> folder_;
  std::unique_ptr<MetricsLog> log_;
  std::optional<SampleTally> tally_;  // of the pass under way, when epochs are pieces of passes
  RunProgress progress_;              // of the epochs done, and where the loader goes on
  std::stop_source end_;              // of the passes: asked from outside, or out of time
  bool is_out_of_time_ = false;
  bool has_unsaved_progress_ = false;           // the run is ahead of its newest checkpoint
  bool has_unstored_steps_ = false;             // the weights are ahead of those on disk
  bool has_partial_steps_ = false;              // the weights are ahead of the last whole epoch
  bool has_best_stored_ = false;                // weights on disk that only better ones replace
  bool are_weights_proven_ = false;             // a validation found their scores to be numbers
  std::optional<std::uint32_t> stored_epochs_;  // that the weights on disk have seen
};

bool is_disk_full(const Error& error) {
  return error.code() == ErrorCode::kIo &&
         (error.os_error() == ENOSPC || error.os_error() == EDQUOT);
}

Session::Session(const RunConfig& config, RunObserver& observer, std::stop_token stop,
                 RunBefore before)
    : observer_(observer),
      stop_(std::move(stop)),
      before_(std::move(before)),
      clock_(config.checkpoint),
      setup_(config, before_.resume_or_null()),
      config_(setup_.config),
      trainer_(*setup_.programs, setup_.trainer_config()),
      metrics_{.num_classes = setup_.graph.num_classes(),
               .has_validation = setup_.validation_loader != nullptr},
      scores_(metrics_.num_classes),
      judge_(config_, metrics_.names(), metrics_.num_classes),
      checkpoints_(setup_, clock_,
                   before_.resume ? before_.resume->history() : CheckpointHistory{}) {
  if (config_.steps_per_epoch > 0) tally_.emplace(setup_.train_split.num_samples());
  if (before_.resume) restore();
}

void Session::restore() {
  progress_ = before_.resume->progress();
  const LoopState loop = before_.resume->loop(setup_);
  trainer_.restore(loop.trainer);
  judge_.restore(loop);
  if (!tally_) return;
  if (auto taken = before_.resume->take_tally()) tally_ = std::move(*taken);
}

void Session::open_folder() {
  MetricsLogConfig log{.folder = config_.out, .metrics = metrics_.names()};
  if (!before_.lock) {
    folder_ = std::make_unique<RunFolder>(config_);
    before_.lock.emplace(config_.out);
  } else {
    folder_ = std::make_unique<RunFolder>(config_, *before_.lock);
    if (before_.resume) log.num_steps = before_.resume->num_logged_steps();
    std::error_code ignored;
    const bool has_weights = std::filesystem::exists(config_.out / kModelRecordName, ignored);
    if (has_weights) stored_epochs_ = progress_.num_epochs;
    has_best_stored_ = has_weights && judge_.keeps_best() && judge_.best_epoch_idx();
    has_unstored_steps_ = !has_weights && trainer_.state().num_steps > 0;
  }
  log_ = std::make_unique<MetricsLog>(std::move(log));
}

RunOutcome Session::run() {
  const RunOverview start =
      overview_of(setup_, before_.notes());  // whose notes are of what was there before
  open_folder();
  observer_.on_start(start);
  RunOutcome outcome{.num_epochs = progress_.num_epochs,
                     .last = progress_.last,
                     .end_reason = progress_.end_reason};
  try {
    run_epochs(outcome);
  } catch (const Error& error) {
    end_by_error(error, outcome);
  }
  outcome.has_weights = stored_epochs_.has_value();
  outcome.ran_out_of_time = outcome.was_stopped && is_out_of_time_;
  outcome.num_steps = trainer_.state().num_steps;
  outcome.checkpoint_step = checkpoints_.newest_step();
  if (!outcome.checkpoint_step && before_.resume) {
    outcome.checkpoint_step = before_.resume->num_steps();
  }
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
  const std::stop_callback wake(end_.get_token(), [this] {
    setup_.train_loader->request_stop();
    if (setup_.validation_loader != nullptr) setup_.validation_loader->request_stop();
  });
  const std::stop_callback pass_on(stop_, [this] { end_.request_stop(); });
  try {
    while ((outcome.num_epochs < config_.epochs || progress_.is_validation_left()) &&
           !outcome.was_stopped && outcome.end_reason.empty()) {
      run_epoch(outcome);
    }
    if (has_unsaved_progress_) store_checkpoint(progress_of(outcome));
    if (outcome.was_stopped || has_unstored_steps_) store(outcome);
    log_->store();
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
  PassRelay(RunObserver& observer, TellStep tell_step, TellSkipped tell_skipped)
      : observer_(observer),
        tell_step_(std::move(tell_step)),
        tell_skipped_(std::move(tell_skipped)) {}
  void on_step(const PassReport& so_far) override { tell_step_(so_far); }
  void on_skipped(const SampleEvent& event) override { tell_skipped_(event); }
  void on_skipped_step(const SkippedStep& step) override { observer_.on_skipped_step(step); }
  bool wants_settled(const PassReport& so_far) override {
    return wants_settled_ && wants_settled_(so_far);
  }
  void on_settled(const PassReport& so_far) override { tell_settled_(so_far); }

  /// Asked and told between two steps.
  void settle(std::function<bool(const PassReport&)> wants,
              std::function<void(const PassReport&)> tell) {
    wants_settled_ = std::move(wants);
    tell_settled_ = std::move(tell);
  }

 private:
  RunObserver& observer_;
  TellStep tell_step_;
  TellSkipped tell_skipped_;
  std::function<bool(const PassReport&)> wants_settled_;
  std::function<void(const PassReport&)> tell_settled_;
};

void Session::note_skipped(const DatasetSplit& split, std::uint32_t epoch_idx,
                           const SampleEvent& event) {
  const SkippedSample* sample = progress_.skipped.add(split, epoch_idx, event);
  if (sample != nullptr) observer_.on_skipped(*sample);
}

/// What was taken of the pass that comes, by an earlier process.
std::optional<PassStart> Session::start_of_pass() {
  if (!before_.resume || !progress_.under_way) return std::nullopt;
  const EpochReport under_way = *std::exchange(progress_.under_way, std::nullopt);
  if (tally_) return PassStart{.report = under_way.train, .tally = SampleTally(0)};
  std::optional<SampleTally> tally = before_.resume->take_tally();
  if (!tally) return std::nullopt;
  return PassStart{.report = under_way.train, .tally = std::move(*tally)};
}

PassReport Session::train_pass(EpochReport& report, const RunOutcome& outcome) {
  are_weights_proven_ = false;
  PassRelay relay(
      observer_,
      [&](const PassReport& so_far) {
        if (so_far.num_steps > 0) {
          has_unstored_steps_ = has_partial_steps_ = has_unsaved_progress_ = true;
        }
        if (so_far.next) progress_.place = *so_far.next;
        report.train = so_far;
        observer_.on_train_step(report);
      },
      [&](const SampleEvent& event) { note_skipped(setup_.train_split, report.epoch_idx, event); });
  bool is_checkpoint_due = false;
  relay.settle(
      [&](const PassReport&) {
        const auto due = clock_.due_after({.step = trainer_.state().num_steps});
        if (due == CheckpointReason::kMaxTime) stop_for_time();  // which stores one
        is_checkpoint_due = due.has_value() && due != CheckpointReason::kMaxTime;
        return is_checkpoint_due || is_validation_due();
      },
      [&](const PassReport& so_far) {
        report.train = so_far;
        if (is_validation_due()) validate_within(report);
        if (!is_checkpoint_due) return;
        RunProgress progress = progress_of(outcome);
        progress.under_way = report;
        store_checkpoint(progress);
      });
  std::optional<PassStart> start = start_of_pass();
  clock_.note_step_start();
  setup_.programs->begin_epoch(report.epoch_idx);
  if (start) {
    report.train = start->report;
    // The step after which it was stopped.
    const bool is_left = progress_.num_validated_steps < trainer_.state().num_steps;
    if (is_left && is_validation_due()) validate_within(report);
  }
  return trainer_.train_epoch({.source = *setup_.train_loader,
                               .num_samples = setup_.train_split.num_samples(),
                               .observer = &relay,
                               .stop = end_.get_token(),
                               .num_steps = config_.steps_per_epoch,
                               .tally = tally_ ? &*tally_ : nullptr,
                               .start = start ? &*start : nullptr});
}

bool Session::is_validation_due() const {
  const std::uint32_t every = config_.validate_every_steps;
  return every > 0 && trainer_.state().num_steps % every == 0 && !end_.stop_requested();
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
  clock_.note_step_start();
  if (so_far.validation->was_stopped) return;  // so is the training
  progress_.num_validated_steps = so_far.num_steps;
  const MetricTable metrics = validation_metrics(*so_far.validation);
  log_->note_validation(so_far, *so_far.validation, metrics);
  store_log();
  observer_.on_validation(so_far, metrics);
}

PassReport Session::validation_pass(const EpochReport& report) {
  PassRelay relay(
      observer_,
      [&](const PassReport& so_far) {
        observer_.on_validation_step(report, so_far);
        if (clock_.is_time_up()) stop_for_time();
      },
      [&](const SampleEvent& event) {
        note_skipped(*setup_.validation_split, report.epoch_idx, event);
      });
  scores_.clear();
  return evaluate_epoch(*setup_.programs,
                        {.source = *setup_.validation_loader,
                         .num_samples = setup_.validation_split->num_samples(),
                         .observer = &relay,
                         .stop = end_.get_token()},
                        &scores_);
}

void Session::stop_for_time() {
  is_out_of_time_ = end_.request_stop() || is_out_of_time_;
}

RunProgress Session::progress_of(const RunOutcome& outcome) const {
  RunProgress progress = progress_;
  progress.num_epochs = outcome.num_epochs;
  progress.last = outcome.last;
  progress.under_way = outcome.partial;
  progress.end_reason = outcome.end_reason;
  return progress;
}

void Session::run_epoch(RunOutcome& outcome) {
  if (progress_.is_validation_left()) {
    EpochReport report = *std::exchange(progress_.under_way, std::nullopt);
    report.num_epochs = config_.epochs;
    has_unstored_steps_ = true;  // the record beside the weights has no figures of it
    end_epoch(std::move(report), outcome);
    return;
  }
  EpochReport report{.epoch_idx = outcome.num_epochs, .num_epochs = config_.epochs};
  report.train = train_pass(report, outcome);
  if (report.train.was_stopped) {
    outcome.was_stopped = true;
    if (report.train.num_steps > 0) outcome.partial = report;
    return;
  }
  ++outcome.num_epochs;
  has_partial_steps_ = false;
  end_epoch(std::move(report), outcome);
}

/// Validation, and what is stored and told of a whole epoch.
void Session::end_epoch(EpochReport report, RunOutcome& outcome) {
  const auto due = clock_.due_after({.step = trainer_.state().num_steps, .is_epoch_end = true});
  if (due == CheckpointReason::kMaxTime) stop_for_time();
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
  has_unsaved_progress_ = true;
  measure(report);
  outcome.last = report;
  const EpochVerdict verdict = judge_.judge(report);
  store_epoch(report, verdict.is_best, outcome);
  observer_.on_epoch(report);
  heed(verdict, outcome);
  if (due) store_checkpoint(progress_of(outcome));
}

/// A full disk ends no run: what it refused is stored with the next epoch, and with the last one it must be.
void Session::store_epoch(const EpochReport& report, bool is_best, const RunOutcome& outcome) {
  if (report.validation) {
    log_->note_validation(report, *report.validation, validation_metrics(*report.validation));
  }
  log_->note_epoch(report);
  // Weights that may have diverged wait for a step or a validation that says otherwise.
  const bool are_doubtful = trainer_.has_diverged() && !are_weights_proven_;
  try {
    if (!are_doubtful && (is_best || !judge_.keeps_best())) {
      store_weights(outcome);
      has_best_stored_ = judge_.keeps_best();
    }
    write_skipped();
    log_->store();
  } catch (const Error& error) {
    const bool is_lost = is_best && judge_.keeps_best() && has_unstored_steps_;
    if (!is_disk_full(error) || is_lost || outcome.num_epochs == config_.epochs) throw;
    observer_.on_warning(std::string(error.what()) + "; tried again after the next epoch");
  }
}

/// Of a validation within an epoch, whose end tries again.
void Session::store_log() {
  try {
    log_->store();
  } catch (const Error& error) {
    if (!is_disk_full(error)) throw;
    observer_.on_warning(std::string(error.what()) + "; tried again after the epoch");
  }
}

/// A failure is told and no more: the checkpoints before stay, and the next one is tried when it is due.
void Session::store_checkpoint(const RunProgress& progress) {
  if (trainer_.has_diverged() && !are_weights_proven_) return;
  LoopState loop{.trainer = trainer_.state()};
  judge_.save(loop);
  const std::string failure = checkpoints_.store(progress, loop);
  if (checkpoints_.newest_step() == loop.trainer.num_steps) {
    folder_->keep();
    has_unsaved_progress_ = false;
  }
  if (!failure.empty()) observer_.on_warning("checkpoint: " + failure);
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
  if (stored_epochs_ && !progress_.skipped.list().empty()) {
    folder_->write_skipped(progress_.skipped);
  }
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

RunOutcome train_run(const RunConfig& config, RunObserver& observer, const std::stop_token& stop,
                     RunStart start) {
  RunBefore before = open_run_before(config, start);
  return with_data_hint(config.dataset,
                        [&] { return Session(config, observer, stop, std::move(before)).run(); });
}

}  // namespace penstock::train
