#include "train/run/run_checkpoints.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "streamer/core/error.h"
#include "train/loop/checkpoint_tensors.h"
#include "train/run/run_facts.h"
#include "train/store/checkpoint_writer.h"

namespace penstock::train {
namespace {

/// The epoch that was done in full just now, and nothing where there is none.
const EpochReport* ended_epoch(const RunProgress& progress) {
  const bool has_ended =
      progress.last && !progress.under_way && progress.last->epoch_idx + 1 == progress.num_epochs;
  return has_ended ? &*progress.last : nullptr;
}

/// By the lowest loss, of the validation where there is one.
std::optional<BestResult> best_by_loss(const std::optional<BestResult>& best,
                                       const EpochReport& epoch) {
  const char* const metric = epoch.validation ? "val_loss" : "loss";
  const double loss = (epoch.validation ? *epoch.validation : epoch.train).totals.loss();
  const bool is_comparable = best && best->metric == metric;
  if (!std::isfinite(loss) || (is_comparable && best->value <= loss)) return best;
  return BestResult{
      .metric = metric, .value = loss, .epoch_idx = epoch.epoch_idx, .checkpoint = ""};
}

/// As early stopping judged it.
std::optional<BestResult> best_by_monitor(const std::optional<BestResult>& best,
                                          const EpochReport& epoch, const std::string& monitor,
                                          const EarlyStoppingState& state) {
  const bool is_best = state.best && state.best_epoch_idx == epoch.epoch_idx;
  if (!is_best) return best;
  return BestResult{
      .metric = monitor, .value = *state.best, .epoch_idx = epoch.epoch_idx, .checkpoint = ""};
}

}  // namespace

RunCheckpoints::RunCheckpoints(RunSetup& setup, CheckpointClock& clock, CheckpointHistory history)
    : setup_(setup),
      folder_(setup.config.out / kCheckpointsName),
      clock_(clock),
      best_(std::move(history.best)),
      damaged_(std::move(history.damaged)) {}

std::string RunCheckpoints::store(const RunProgress& progress, const LoopState& loop) {
  clock_.note_save_start();
  std::string failure;
  try {
    write(progress, loop);
  } catch (const std::exception& error) {
    failure = error.what();
  }
  clock_.note_save_end();
  return failure;
}

std::optional<BestResult> RunCheckpoints::best_of(const RunProgress& progress,
                                                  const LoopState& loop) const {
  const EpochReport* const epoch = ended_epoch(progress);
  if (epoch == nullptr) return best_;
  const RunConfig& config = setup_.config;
  if (!config.stops_early()) return best_by_loss(best_, *epoch);
  return best_by_monitor(best_, *epoch, config.early_stopping.monitor, loop.early_stopping);
}

bool RunCheckpoints::would_be_best(const RunProgress& progress, const LoopState& loop) const {
  const auto best = best_of(progress, loop);
  return best && best->checkpoint.empty();
}

CheckpointState RunCheckpoints::state_of(const RunProgress& progress, const LoopState& loop) const {
  const OptimizerProgress optimizer = OptimizerProgress::of(setup_.programs->any_program());
  const std::uint64_t most =
      optimizer.num_steps.empty() ? 0 : std::ranges::max(optimizer.num_steps);
  CheckpointState state = run_facts(setup_);
  state.epoch_idx = progress.num_epochs;
  state.epoch_position_samples = progress.place.next_position;
  state.step = loop.trainer.num_steps;
  state.num_finite_steps = std::min(most, state.step);
  state.best = best_of(progress, loop);
  state.parts = progress_parts(progress);
  state.parts[std::string(kLoopStatePart)] = format_loop_state(loop);
  BatchView last_batch;
  last_batch.epoch = progress.place.epoch;
  last_batch.next_position = progress.place.next_position;
  state.parts["loader"] = to_json(setup_.train_loader->state_after(last_batch));
  state.parts[std::string(kOptimizerPart)] = format_optimizer_progress(optimizer);
  return state;
}

void RunCheckpoints::write(const RunProgress& progress, const LoopState& loop) {
  Program& program = setup_.programs->any_program();
  CheckpointContent content{.state = state_of(progress, loop),
                            .model = tensor_source(program, TensorGroup::kModel),
                            .optimizer = tensor_source(program, TensorGroup::kOptimizer)};
  if (keeps_ema(program)) content.ema = tensor_source(program, TensorGroup::kEma);
  std::optional<BestResult> best = content.state.best;
  const CheckpointEntry entry = write_checkpoint(folder_, std::move(content));
  newest_step_ = loop.trainer.num_steps;
  if (best && best->checkpoint.empty()) best->checkpoint = entry.name();
  best_ = std::move(best);
  remove_superseded(folder_, entry,
                    {.num_newest = setup_.config.num_checkpoints_kept,
                     .best = best_ ? best_->checkpoint : "",
                     .damaged = damaged_});
  damaged_.clear();
}

}  // namespace penstock::train
