#include "train/run/trial/learning_rate_search.h"

#include "streamer/core/error.h"
#include "train/loop/trainer.h"
#include "train/run/data/data_hint.h"
#include "train/run/run_setup.h"

namespace penstock::train {
namespace {

RunConfig search_config(RunConfig config, const LrFinderConfig& finder) {
  config.epochs = 1;
  config.steps_per_epoch = finder.num_steps;
  config.validate_every_steps = 0;
  config.schedule = ScheduleConfig::of(ScheduleKind::kConstant);
  return config;
}

LearningRateSearch search(const RunConfig& config, const LrFinderConfig& finder_config,
                          const std::function<void(std::uint32_t)>& at_step,
                          const std::stop_token& stop) {
  LrFinder finder(finder_config);
  RunSetup setup(search_config(config, finder_config), nullptr, SetupExtent::kTaken, stop);
  const std::stop_callback wake(stop, [&] { setup.train_loader->request_stop(); });
  Trainer trainer(*setup.programs, {.optimizer = setup.config.optimizer,
                                    .schedule = setup.config.schedule,
                                    .seed = setup.config.seed,
                                    .num_steps = finder_config.num_steps,
                                    .steps_per_epoch = finder_config.num_steps});
  SampleTally tally(setup.train_split.num_samples());
  LrFinderOutcome outcome = LrFinderOutcome::kContinue;
  for (std::uint32_t step = 0; outcome == LrFinderOutcome::kContinue; ++step) {
    trainer.set_peak_learning_rate(finder.learning_rate(step));
    const PassReport report = trainer.train_epoch({.source = *setup.train_loader,
                                                   .num_samples = setup.num_pass_samples,
                                                   .num_left_out = setup.num_left_out(),
                                                   .stop = stop,
                                                   .num_steps = 1,
                                                   .tally = &tally});
    if (report.was_stopped) {
      throw Error(ErrorCode::kStopped,
                  "train: stopped after " + std::to_string(step) + " steps of the search",
                  "the same command starts it again");
    }
    // A step that was skipped has no loss, which ends the search.
    outcome = finder.add(report.totals.loss());
    if (at_step) at_step(step + 1);
  }
  return {.points = {finder.points().begin(), finder.points().end()},
          .suggested = finder.suggested_point(),
          .fall = finder.fall(),
          .num_steps = finder_config.num_steps};
}

}  // namespace

LearningRateSearch search_learning_rate(const RunConfig& config, const LrFinderConfig& finder,
                                        const std::function<void(std::uint32_t)>& at_step,
                                        const std::stop_token& stop) {
  return with_data_hint(config.dataset, [&] { return search(config, finder, at_step, stop); });
}

}  // namespace penstock::train
