#include "train/run/trial/overfit_check.h"

#include <cstdio>
#include <numeric>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"
#include "train/loop/trainer.h"
#include "train/run/data/data_hint.h"
#include "train/run/run_setup.h"

namespace penstock::train {
namespace {

constexpr const char* kOwner = "overfit_batch";

/// Hands out one batch without an end, each time as a whole pass over samples of its own.
class RepeatedBatch final : public BatchSource {
 public:
  explicit RepeatedBatch(BatchLease batch)
      : kept_(std::make_shared<Kept>(std::move(batch))),
        spec_(*kept_->batch->spec),
        ids_(kept_->batch->num_valid) {
    std::iota(ids_.begin(), ids_.end(), std::uint64_t{0});
  }

  std::uint32_t num_samples() const { return kept_->batch->num_valid; }
  const BatchSpec& spec() const noexcept override { return spec_; }
  SourceStats stats() const override { return {}; }
  BatchLease next() override {
    BatchView view = kept_->batch.view();
    view.sample_ids = ids_;
    view.events = {};
    view.ends_epoch = true;
    return {view, kept_, 0};
  }

 private:
  /// Shared with the leases of it.
  struct Kept final : LeaseOwner {
    explicit Kept(BatchLease lease) : batch(std::move(lease)) {}
    void give_back(std::uint32_t) noexcept override {}
    BatchLease batch;
  };

  std::shared_ptr<Kept> kept_;
  BatchSpec spec_;
  std::vector<std::uint64_t> ids_;
};

RunConfig plain_config(RunConfig config) {
  config.epochs = 1;
  config.steps_per_epoch = 1;
  config.validate_every_steps = 0;
  config.schedule = ScheduleConfig::of(ScheduleKind::kConstant);
  config.optimizer.weight_decay = 0;
  config.optimizer.l1 = 0;
  config.label_smoothing = 0;
  config.balances_classes = false;
  config.class_weights.clear();
  config.loss_weights.clear();
  config.augment = config.augment.without_randomness();
  return config;
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

[[noreturn]] void stop_here(std::uint32_t num_steps) {
  throw Error(ErrorCode::kStopped,
              "train: stopped after " + std::to_string(num_steps) + " steps on one batch",
              "the same command starts it again");
}

/// The first batch; a stop may reach the loader while it is waited for.
BatchLease first_batch(Loader& loader) {
  BatchLease batch = loader.next();
  check_internal(static_cast<bool>(batch), "a loader without a first batch");
  return batch;
}

OverfitReport overfit(const RunConfig& config, const OverfitConfig& overfit,
                      const std::function<void(const OverfitReport&)>& at_step,
                      const std::stop_token& stop) {
  overfit.validate();
  RunSetup setup(plain_config(config), nullptr, SetupExtent::kOneStep, stop);
  const std::stop_callback wake(stop, [&] { setup.train_loader->request_stop(); });
  Trainer trainer(*setup.programs, {.optimizer = setup.config.optimizer,
                                    .schedule = setup.config.schedule,
                                    .seed = setup.config.seed,
                                    .num_steps = overfit.num_steps,
                                    .steps_per_epoch = overfit.num_steps,
                                    .nan_guard = setup.config.nan_guard});
  RepeatedBatch source(first_batch(*setup.train_loader));
  OverfitReport report{.num_samples = source.num_samples(),
                       .learning_rate = setup.config.optimizer.learning_rate};
  while (report.num_steps < overfit.num_steps && !report.is_learned) {
    const PassReport step =
        trainer.train_epoch({.source = source, .num_samples = report.num_samples, .stop = stop});
    if (step.was_stopped) stop_here(report.num_steps);
    report.last_loss = step.totals.loss();
    report.last_top1 = step.totals.top1();
    if (report.num_steps++ == 0) report.first_loss = report.last_loss;
    report.num_skipped_steps += static_cast<std::uint32_t>(step.num_skipped_steps);
    report.is_learned =
        report.last_loss <= overfit.loss_share * report.first_loss && report.last_top1 == 1;
    if (at_step) at_step(report);
  }
  return report;
}

}  // namespace

void OverfitConfig::validate() const {
  check_range({kOwner, "num_steps", num_steps, 1, 1'000'000, "num_steps = 200"});
  if (!(loss_share > 0 && loss_share < 1)) {
    refuse_setting({kOwner, "loss_share", "above 0 and below 1", number_text(loss_share),
                    "loss_share = 0.05"});
  }
}

std::string OverfitReport::text() const {
  const std::string course = "the loss of one batch of " + std::to_string(num_samples) +
                             (is_learned ? " fell from " : " went from ") +
                             short_number(first_loss) + " to " + short_number(last_loss) + " in " +
                             std::to_string(num_steps) + " steps";
  if (is_learned) return "learned: " + course;
  return "not learned: " + course + ", top-1 " + short_number(100 * last_top1) +
         " %; try a learning rate ten times lower, then ten times higher than " +
         number_text(learning_rate) + ", more steps, or a larger model";
}

OverfitReport overfit_one_batch(const RunConfig& config, const OverfitConfig& settings,
                                const std::function<void(const OverfitReport&)>& at_step,
                                const std::stop_token& stop) {
  return with_data_hint(config.dataset, [&] { return overfit(config, settings, at_step, stop); });
}

}  // namespace penstock::train
