#include "train/run/run_overview.h"

#include <utility>

#include "streamer/core/usable_cores.h"
#include "train/backend/slow_precision.h"
#include "train/graph/model_summary.h"
#include "train/run/run_setup.h"
#include "train/run/settings/idle_settings.h"

namespace penstock::train {
namespace {

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

/// Fewer steps than this leave no room for a warm-up, a peak and a fall.
constexpr std::uint64_t kFewSteps = 5;

std::string way_to_more_steps(const RunConfig& config) {
  if (config.steps_per_epoch > 0) return "more --epochs or --steps-per-epoch";
  return config.batch_size == 1 ? "more --epochs" : "more --epochs or a smaller --batch-size";
}

std::string steps_note(const RunConfig& config, std::uint64_t num_steps) {
  if (num_steps >= kFewSteps) return {};
  const bool is_flat = config.schedule.kind == ScheduleKind::kConstant || num_steps == 1;
  return "the whole run is " + std::to_string(num_steps) + (num_steps == 1 ? " step" : " steps") +
         (is_flat ? ", too few to learn much in: try "
                  : ", too few for a schedule: try --schedule constant, ") +
         way_to_more_steps(config);
}

}  // namespace

RunOverview overview_of(const RunSetup& setup, std::vector<std::string> resume_notes) {
  return {
      .config = setup.config,
      .num_train_samples = setup.train_split.num_samples(),
      .num_validation_samples = setup.validation_split ? setup.validation_split->num_samples() : 0,
      .num_classes = setup.graph.num_classes(),
      .num_params = summarize(setup.graph).total.num_params,
      .learning = learning_of(setup.learning),
      .initial_weights = initial_weights_text(setup),
      .num_loss_weights = setup.loss_weights.num_named,
      .cores = setup.resolved.cores,
      .num_usable_cores = num_usable_cores(),
      .backend = setup.backend->description(),
      .precision_note = slow_precision_note(setup.config.backend, setup.config.precision),
      .memory_note = setup.resolved.memory_note,
      .memory = setup.memory.rows(),
      .network_roles = setup.programs->plan().roles,
      .network_kept_bytes = setup.programs->plan().persistent_bytes,
      .network_passing_bytes = setup.programs->plan().passing_bytes,
      .recompute = setup.batch.recompute,
      .steps_note = steps_note(setup.config, setup.steps_per_epoch() * setup.config.epochs),
      .batch_note = setup.batch_note,
      .idle = idle_settings(setup.config, setup.steps_per_epoch() * setup.config.epochs),
      .batch_memory = std::string(setup.pipeline.host_memory->kind()),
      .identity_hash = setup.identity.hash,
      .resume_notes = std::move(resume_notes)};
}

}  // namespace penstock::train
