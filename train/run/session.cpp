#include "train/run/session.h"

#include <exception>
#include <new>
#include <optional>
#include <utility>

#include "streamer/core/error.h"
#include "train/loop/trainer.h"
#include "train/run/data/data_hint.h"
#include "train/run/epoch/epoch_judge.h"
#include "train/run/epoch/epoch_metrics.h"
#include "train/run/folder/run_hints.h"
#include "train/run/folder/run_place.h"
#include "train/run/pass_relay.h"
#include "train/run/run_progress.h"
#include "train/run/run_setup.h"
#include "train/run/run_storage.h"

namespace penstock::train {
namespace {

/// Whether the end of max_time cuts a validation. One that an earlier process left is finished: processes with
/// little time would else never come beyond it.
enum class TimeLimit : std::uint8_t { kHeeded, kPutOff };

/// The epochs of one run.
class Session {
 public:
  Session(const RunConfig& config, RunObserver& observer, std::stop_token stop, RunBefore before);
  RunOutcome run();

 private:
  void restore();
  std::string open_storage();
  void run_epochs();
  void run_epoch();
  void end_epoch(EpochReport report, TimeLimit limit);
  PassReport train_pass(EpochReport& report);
  std::optional<PassStart> start_of_pass();
  PassReport validation_pass(const EpochReport& report, TimeLimit limit);
  bool is_validation_due() const;
  void validate_within(const EpochReport& report, TimeLimit limit);
  MetricTable validation_metrics(const PassReport& pass) const;
  void measure(EpochReport& report);
  void heed(const EpochVerdict& verdict);
  void note_skipped(const DatasetSplit& split, std::uint32_t epoch_idx, const SampleEvent& event);
  void stop_for_time();
  RunOutcome outcome();

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
  RunStorage storage_;
  std::optional<SampleTally> tally_;  // of the pass under way, when epochs are pieces of passes
  RunProgress progress_;  // of the epochs done; the one under way is in it when a stop cut it short
  std::stop_source end_;  // of the passes: asked from outside, or out of time
  bool was_stopped_ = false;
  bool is_out_of_time_ = false;
};

Session::Session(const RunConfig& config, RunObserver& observer, std::stop_token stop,
                 RunBefore before)
    : observer_(observer),
      stop_(std::move(stop)),
      before_(std::move(before)),
      clock_(config.checkpoint),
      setup_(config, before_.resume_or_null(), SetupExtent::kTaken, stop_),
      config_(setup_.config),
      trainer_(*setup_.programs, setup_.trainer_config()),
      metrics_{.num_classes = setup_.graph.num_classes(),
               .has_validation = setup_.validation_loader != nullptr},
      scores_(metrics_.num_classes),
      judge_(config_, metrics_.names(), metrics_.num_classes),
      storage_({.setup = setup_, .trainer = trainer_, .judge = judge_, .before = before_}, clock_,
               observer) {
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

/// Returns what to tell of the folder, or nothing.
std::string Session::open_storage() {
  const bool goes_on = before_.lock.has_value();
  try {
    return storage_.open(metrics_.names(), progress_);
  } catch (const Error& error) {
    if (!goes_on || !error.hint().empty()) throw;
    throw Error(error.code(), error.what(), hint_in_the_way(config_.out, error), error.os_error());
  }
}

RunOutcome Session::run() {
  check_run_room(config_.out, planned_run_bytes(setup_));
  RunOverview start =
      overview_of(setup_, before_.notes());  // whose notes are of what was there before
  const std::string note = open_storage();
  if (!note.empty()) start.resume_notes.push_back(note);
  observer_.on_start(start);
  try {
    run_epochs();
  } catch (const Error& error) {
    storage_.end_by_error(error, progress_);
  }
  return outcome();
}

RunOutcome Session::outcome() {
  const LoaderStats loader = setup_.train_loader->detailed_stats();
  const bool is_early = was_stopped_ || progress_.num_epochs < config_.epochs;
  return {.num_epochs = progress_.num_epochs,
          .was_stopped = was_stopped_,
          .ran_out_of_time = was_stopped_ && is_out_of_time_,
          .num_steps = trainer_.state().num_steps,
          .checkpoint_step = storage_.checkpoint_step(),
          .has_weights = storage_.has_weights(),
          .last = progress_.last,
          .partial = was_stopped_ ? progress_.under_way : std::nullopt,
          .end_reason = progress_.end_reason,
          .best_epoch_idx = storage_.best_epoch_idx(),
          .learning_verdict = is_early ? judge_.early_learning_line() : judge_.learning_line(),
          .high_water_bytes = setup_.memory.budget().high_water_bytes(),
          .loader_verdict = loader.source.num_batches > 0 ? verdict(loader).text : std::string(),
          .cache = loader.cache};
}

/// Every failure leaves as an Error.
void Session::run_epochs() {
  // A stop reaches a loader that waits for a slow disk.
  const std::stop_callback wake(end_.get_token(), [this] {
    setup_.train_loader->request_stop();
    if (setup_.validation_loader != nullptr) setup_.validation_loader->request_stop();
  });
  const std::stop_callback pass_on(stop_, [this] { end_.request_stop(); });
  try {
    while ((progress_.num_epochs < config_.epochs || progress_.is_validation_left()) &&
           !was_stopped_ && progress_.end_reason.empty()) {
      run_epoch();
    }
    storage_.store_end(progress_, was_stopped_);
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

void Session::run_epoch() {
  if (progress_.is_validation_left()) {
    EpochReport report = *std::exchange(progress_.under_way, std::nullopt);
    report.num_epochs = config_.epochs;
    storage_.note_validation_left();
    end_epoch(std::move(report), TimeLimit::kPutOff);
    return;
  }
  EpochReport report{.epoch_idx = progress_.num_epochs, .num_epochs = config_.epochs};
  try {
    report.train = train_pass(report);
  } catch (...) {
    if (report.train.num_steps > 0) progress_.under_way = report;  // which is stored as well
    throw;
  }
  if (report.train.was_stopped) {
    was_stopped_ = true;
    if (report.train.num_steps > 0) progress_.under_way = report;
    return;
  }
  ++progress_.num_epochs;
  storage_.note_train_pass_end();
  end_epoch(std::move(report), TimeLimit::kHeeded);
}

/// Validation, and what is stored and told of a whole epoch.
void Session::end_epoch(EpochReport report, TimeLimit limit) {
  const auto due = clock_.due_after({.step = trainer_.state().num_steps, .is_epoch_end = true});
  const bool is_time_up = due == CheckpointReason::kMaxTime;
  if (is_time_up && limit == TimeLimit::kHeeded) stop_for_time();
  if (setup_.validation_loader != nullptr) {
    progress_.under_way = report;  // until it is validated
    const PassReport validation = validation_pass(report, limit);
    if (validation.was_stopped) {
      was_stopped_ = true;
      return;
    }
    progress_.under_way.reset();
    report.validation = validation;
    storage_.note_validated();
  }
  measure(report);
  progress_.last = report;
  const EpochVerdict verdict = judge_.judge(report);
  if (report.validation) {
    storage_.note_validation(report, validation_metrics(*report.validation));
  }
  heed(verdict);
  storage_.store_epoch(report, {.is_best = verdict.is_best, .is_checkpoint_due = due.has_value()},
                       progress_);
  observer_.on_epoch(report);
  for (const std::string& note : verdict.notes) observer_.on_note(note);
  if (is_time_up) stop_for_time();
}

PassReport Session::train_pass(EpochReport& report) {
  storage_.note_train_pass_start();
  PassRelay relay(
      observer_,
      [&](const PassReport& so_far) {
        if (so_far.num_steps > 0) storage_.note_step();
        if (so_far.next) progress_.place = *so_far.next;
        report.train = so_far;
        observer_.on_train_step(report);
      },
      [&](const SampleEvent& event) { note_skipped(setup_.train_split, report.epoch_idx, event); });
  relay.at_batches([&](const BatchView& batch) { observer_.on_train_batch(batch); });
  relay.at_parts([&] {
    if (clock_.is_time_up_in_step()) stop_for_time();
  });
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
        if (is_validation_due()) validate_within(report, TimeLimit::kHeeded);
        if (!is_checkpoint_due) return;
        RunProgress progress = progress_;
        progress.under_way = report;
        storage_.store_checkpoint(progress);
      });
  std::optional<PassStart> start = start_of_pass();
  clock_.note_step_start();
  setup_.programs->begin_epoch(report.epoch_idx);
  if (start) {
    report.train = start->report;
    // The step after which it was stopped.
    const bool is_left = progress_.num_validated_steps < trainer_.state().num_steps;
    if (is_left && is_validation_due()) validate_within(report, TimeLimit::kPutOff);
  }
  return trainer_.train_epoch({.source = *setup_.train_loader,
                               .num_samples = setup_.num_pass_samples,
                               .num_left_out = setup_.num_left_out(),
                               .observer = &relay,
                               .stop = end_.get_token(),
                               .num_steps = config_.steps_per_epoch,
                               .tally = tally_ ? &*tally_ : nullptr,
                               .start = start ? &*start : nullptr});
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

PassReport Session::validation_pass(const EpochReport& report, TimeLimit limit) {
  PassRelay relay(
      observer_,
      [&](const PassReport& so_far) {
        observer_.on_validation_step(report, so_far);
        if (limit == TimeLimit::kHeeded && clock_.is_time_up()) stop_for_time();
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

bool Session::is_validation_due() const {
  const std::uint32_t every = config_.validate_every_steps;
  return every > 0 && trainer_.state().num_steps % every == 0 && !end_.stop_requested();
}

/// Monitors and weights go by the epochs' ends: this is for whoever watches.
void Session::validate_within(const EpochReport& report, TimeLimit limit) {
  EpochReport so_far = report;
  so_far.num_steps = trainer_.state().num_steps;
  so_far.validation = validation_pass(so_far, limit);
  clock_.note_step_start();
  if (so_far.validation->was_stopped) return;  // so is the training
  progress_.num_validated_steps = so_far.num_steps;
  const MetricTable metrics = validation_metrics(*so_far.validation);
  add_classes(so_far, scores_, setup_.dataset.manifest().class_names);
  storage_.note_validation(so_far, metrics);
  storage_.store_log();
  observer_.on_validation(so_far, metrics);
}

MetricTable Session::validation_metrics(const PassReport& pass) const {
  MetricTable metrics;
  add_validation(metrics, pass, scores_);
  return metrics;
}

void Session::measure(EpochReport& report) {
  report.num_steps = trainer_.state().num_steps;
  add_training(report.metrics, report.train);
  if (!report.validation) return;
  add_validation(report.metrics, *report.validation, scores_);
  add_classes(report, scores_, setup_.dataset.manifest().class_names);
}

void Session::heed(const EpochVerdict& verdict) {
  if (verdict.peak_learning_rate) trainer_.set_peak_learning_rate(*verdict.peak_learning_rate);
  if (progress_.num_epochs < config_.epochs) progress_.end_reason = verdict.end_reason;
}

void Session::note_skipped(const DatasetSplit& split, std::uint32_t epoch_idx,
                           const SampleEvent& event) {
  const SkippedSample* sample = progress_.skipped.add(split, epoch_idx, event);
  if (sample != nullptr) observer_.on_skipped(*sample);
}

void Session::stop_for_time() {
  is_out_of_time_ = end_.request_stop() || is_out_of_time_;
}

/// How far the run was before a process that did nothing.
RunOutcome stopped_in_setup(const RunBefore& before) {
  RunOutcome outcome{.was_stopped = true, .was_set_up = false};
  if (!before.resume) return outcome;
  RunProgress progress = before.resume->stored_progress();
  outcome.num_epochs = progress.num_epochs;
  outcome.num_steps = before.resume->stored_step();
  outcome.checkpoint_step = outcome.num_steps;
  outcome.has_weights = true;
  outcome.last = std::move(progress.last);
  const bool is_in_training = !progress.is_validation_left();
  outcome.partial = std::move(progress.under_way);
  if (outcome.partial) outcome.partial->train.was_stopped = is_in_training;
  return outcome;
}

}  // namespace

RunOutcome train_run(const RunConfig& config, RunObserver& observer, const std::stop_token& stop,
                     RunStart start) {
  RunBefore before = open_run_before(config, start);
  const RunOutcome untouched = stopped_in_setup(before);
  return with_data_hint(config.dataset, [&]() -> RunOutcome {
    std::optional<Session> session;
    try {
      session.emplace(config, observer, stop, std::move(before));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kStopped) throw;
      return untouched;
    }
    return session->run();
  });
}

}  // namespace penstock::train
