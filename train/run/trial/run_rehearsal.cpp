#include "train/run/trial/run_rehearsal.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "streamer/core/error.h"
#include "train/loop/trainer.h"
#include "train/run/data/data_hint.h"
#include "train/run/epoch/epoch_judge.h"
#include "train/run/epoch/epoch_metrics.h"
#include "train/run/folder/run_place.h"
#include "train/run/run_before.h"
#include "train/run/run_progress.h"
#include "train/run/run_setup.h"

namespace penstock::train {
namespace {

using Clock = std::chrono::steady_clock;

class Rehearsal {
 public:
  Rehearsal(const RunConfig& config, RunBefore before, const BatchTiming& timing,
            const RehearsalWatch& watch, std::stop_token stop);
  RunForecast run();

 private:
  RunAhead ahead() const;
  void time_stages();
  void time_stage(StageForecast& stage);
  void time_validation();
  void check_not_stopped() const;

  Clock::time_point start_ = Clock::now();
  RunBefore before_;
  BatchTiming timing_;
  const RehearsalWatch& watch_;
  std::stop_token stop_;
  RunSetup setup_;
  Trainer trainer_;
  RunMetrics metrics_;
  RunProgress progress_;
  SampleTally tally_;
  RunForecast forecast_;
};

SampleTally tally_of(const RunSetup& setup, RunBefore& before) {
  if (before.resume) {
    if (auto taken = before.resume->take_tally()) return std::move(*taken);
  }
  return SampleTally(setup.train_split.num_samples());
}

Rehearsal::Rehearsal(const RunConfig& config, RunBefore before, const BatchTiming& timing,
                     const RehearsalWatch& watch, std::stop_token stop)
    : before_(std::move(before)),
      timing_(timing),
      watch_(watch),
      stop_(std::move(stop)),
      setup_(config, before_.resume_or_null(), SetupExtent::kTaken, stop_),
      trainer_(*setup_.programs, setup_.trainer_config()),
      metrics_{.num_classes = setup_.graph.num_classes(),
               .has_validation = setup_.validation_loader != nullptr},
      tally_(tally_of(setup_, before_)) {
  if (!setup_.config.out.empty()) check_run_room(setup_.config.out, planned_run_bytes(setup_));
  // Looks at the monitors.
  EpochJudge judge(setup_.config, metrics_.names(), metrics_.num_classes);
  if (!before_.resume) return;
  progress_ = before_.resume->progress();
  const LoopState loop = before_.resume->loop(setup_);
  trainer_.restore(loop.trainer);
  judge.restore(loop);
}

RunAhead Rehearsal::ahead() const {
  const RunConfig& config = setup_.config;
  const std::uint64_t num_samples = setup_.num_pass_samples;
  const std::uint64_t batch = setup_.programs->train_batch();
  const std::uint64_t steps_per_pass = (num_samples + batch - 1) / batch;
  RunAhead ahead{
      .num_epochs = config.epochs,
      .steps_per_epoch = setup_.steps_per_epoch(),
      .num_steps_done = progress_.num_epochs * setup_.steps_per_epoch(),
      .samples_per_step = static_cast<double>(num_samples) / static_cast<double>(steps_per_pass),
      .num_validation_samples =
          setup_.validation_split ? setup_.validation_split->num_samples() : 0,
      .validate_every_steps = config.validate_every_steps,
      .is_validation_left = progress_.is_validation_left()};
  if (progress_.under_way && !ahead.is_validation_left) {
    ahead.num_steps_done += progress_.under_way->train.num_steps;
  }
  // It has ended for a reason of its own.
  if (!progress_.end_reason.empty()) ahead.num_epochs = progress_.num_epochs;
  return ahead;
}

RunForecast Rehearsal::run() {
  forecast_.ahead = ahead();
  forecast_.max_s = 60 * setup_.config.checkpoint.max_minutes;
  forecast_.may_end_early = setup_.config.stops_early();
  if (watch_.at_start) watch_.at_start(overview_of(setup_, before_.notes()));
  forecast_.setup_s = std::chrono::duration<double>(Clock::now() - start_).count();
  const std::stop_callback wake(stop_, [this] {
    setup_.train_loader->request_stop();
    if (setup_.validation_loader != nullptr) setup_.validation_loader->request_stop();
  });
  time_stages();
  if (forecast_.ahead.num_validations() > 0) time_validation();
  return std::move(forecast_);
}

void Rehearsal::time_stages() {
  const std::vector<LearningStage>& planned = setup_.learning.stages;
  const std::size_t num_stages = std::max<std::size_t>(planned.size(), 1);
  for (std::size_t i = 0; i < num_stages; ++i) {
    StageForecast stage{.first_epoch = planned.empty() ? 0 : planned[i].first_epoch};
    const std::uint32_t end_epoch =
        i + 1 < num_stages ? planned[i + 1].first_epoch : setup_.config.epochs;
    stage.num_steps = forecast_.ahead.num_steps_of(stage.first_epoch, end_epoch);
    if (stage.num_steps == 0) continue;
    time_stage(stage);
    forecast_.stages.push_back(stage);
  }
}

/// Takes no more steps than the run itself has in this stage, so the loader's passes suffice.
void Rehearsal::time_stage(StageForecast& stage) {
  std::stop_source end;
  const std::stop_callback pass_on(stop_, [&] { end.request_stop(); });
  TimedBatches source(*setup_.train_loader, end, timing_, watch_.at_train_batch);
  setup_.programs->begin_epoch(stage.first_epoch);
  const PassReport report = trainer_.train_epoch({.source = source,
                                                  .num_samples = setup_.num_pass_samples,
                                                  .num_left_out = setup_.num_left_out(),
                                                  .stop = end.get_token(),
                                                  .num_steps = stage.num_steps,
                                                  .tally = &tally_});
  check_not_stopped();
  stage.timed = source.finish();
  stage.train_s = stage.timed.seconds_for(static_cast<double>(stage.num_steps) *
                                          forecast_.ahead.samples_per_step);
  forecast_.num_skipped += report.num_skipped;
}

void Rehearsal::time_validation() {
  std::stop_source end;
  const std::stop_callback pass_on(stop_, [&] { end.request_stop(); });
  TimedBatches source(*setup_.validation_loader, end, timing_, watch_.at_validation_batch);
  ValidationScores scores(metrics_.num_classes);
  const PassReport report = evaluate_epoch(*setup_.programs,
                                           {.source = source,
                                            .num_samples = setup_.validation_split->num_samples(),
                                            .stop = end.get_token()},
                                           &scores);
  check_not_stopped();
  forecast_.validation = source.finish();
  forecast_.num_skipped += report.num_skipped;
}

void Rehearsal::check_not_stopped() const {
  if (!stop_.stop_requested()) return;
  throw Error(ErrorCode::kStopped, "train: --dry-run: stopped before its end",
              "the same command starts it again");
}

}  // namespace

RunForecast rehearse_run(const RunConfig& config, RunStart start, const BatchTiming& timing,
                         const RehearsalWatch& watch, const std::stop_token& stop) {
  RunBefore before;
  if (start == RunStart::kResume || !config.out.empty()) before = open_run_before(config, start);
  return with_data_hint(config.dataset, [&] {
    return Rehearsal(config, std::move(before), timing, watch, stop).run();
  });
}

}  // namespace penstock::train
