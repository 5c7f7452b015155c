#include "train/run/run_overview.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "streamer/core/number_text.h"
#include "streamer/core/usable_cores.h"
#include "train/backend/slow_precision.h"
#include "train/graph/model_summary.h"
#include "train/run/run_setup.h"
#include "train/run/settings/channel_statistics.h"
#include "train/run/settings/idle_settings.h"

namespace penstock::train {
namespace {

/// With four decimals at most.
std::string numbers_text(const std::vector<double>& numbers) {
  std::string text;
  for (const double number : numbers) {
    text += (text.empty() ? "" : " ") + number_text(std::round(number * 1e4) / 1e4);
  }
  return text;
}

bool are_near(const std::vector<double>& some, const std::vector<double>& others) {
  constexpr double kRounding = 1e-6;  // other units than pixels divided by 255 are rounded twice
  return std::ranges::equal(
      some, others, [](double one, double other) { return std::abs(one - other) <= kRounding; });
}

/// What the weights of RunConfig::init_from are, and whether they will see the pixels that they have learned from.
struct InitialWords {
  std::string weights = {};
  std::string statistics_note = {};
};

InitialWords initial_words(const RunSetup& setup) {
  if (!setup.initial_weights) return {};
  const InitialWeights& weights = *setup.initial_weights;
  InitialWords words{.weights = std::to_string(weights.num_tensors()) + " tensors"};
  if (!weights.new_head().empty()) words.weights += "; " + weights.new_head();
  const auto theirs = initial_statistics(setup.config);
  if (!theirs) return words;
  const RunConfig& config = setup.config;
  if (are_near(config.mean, theirs->mean) && are_near(config.std, theirs->std)) {
    words.weights += "; mean and std of that run";
  } else {
    words.statistics_note = "mean and std: " + numbers_text(config.mean) + " and " +
                            numbers_text(config.std) + ", but these weights were trained with " +
                            numbers_text(theirs->mean) + " and " + numbers_text(theirs->std);
  }
  return words;
}

std::vector<std::string> idle_in(const RunSetup& setup) {
  const RunConfig& config = setup.config;
  std::vector<std::string> sentences =
      idle_settings(config, setup.steps_per_epoch() * config.epochs);
  if (config.validation_batch_size > 0 && !setup.validation_split) {
    sentences.push_back("validation_batch_size " + std::to_string(config.validation_batch_size) +
                        " does nothing: the dataset has no split validation");
  }
  return sentences;
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

std::optional<RunOverview::Device> device_of(const RunSetup& setup) {
  if (!setup.device) return std::nullopt;
  return RunOverview::Device{.arena_bytes = setup.programs->plan().arena_bytes,
                             .limit_bytes = setup.device->limit_bytes,
                             .used_bytes = setup.device_used_bytes};
}

std::string memory_note_of(const RunSetup& setup) {
  const std::string on_gpu = setup.device ? device_note(*setup.device) : "";
  const std::string& on_host = setup.resolved.memory_note;
  return on_host + (on_host.empty() || on_gpu.empty() ? "" : "; ") + on_gpu;
}

}  // namespace

RunOverview overview_of(const RunSetup& setup, std::vector<std::string> resume_notes) {
  InitialWords initial = initial_words(setup);
  return {
      .config = setup.config,
      .num_train_samples = setup.train_split.num_samples(),
      .num_validation_samples = setup.validation_split ? setup.validation_split->num_samples() : 0,
      .num_classes = setup.graph.num_classes(),
      .num_params = summarize(setup.graph).total.num_params,
      .learning = learning_of(setup.learning),
      .initial_weights = std::move(initial.weights),
      .statistics_note = std::move(initial.statistics_note),
      .num_loss_weights = setup.loss_weights.num_named,
      .cores = setup.resolved.cores,
      .num_usable_cores = num_usable_cores(),
      .backend = setup.backend->description(),
      .precision_note = slow_precision_note(setup.backend->name(), setup.config.precision),
      .device_note = setup.resolved.device_note,
      .memory_note = memory_note_of(setup),
      .memory = setup.memory.rows(),
      .network_roles = setup.programs->plan().roles,
      .network_kept_bytes = setup.programs->plan().persistent_bytes,
      .network_passing_bytes = setup.programs->plan().passing_bytes,
      .device = device_of(setup),
      .recompute = setup.batch.recompute,
      .steps_note = steps_note(setup.config, setup.steps_per_epoch() * setup.config.epochs),
      .batch_note = setup.batch_note,
      .idle = idle_in(setup),
      .batch_memory = std::string(setup.pipeline.host_memory->kind()),
      .identity_hash = setup.identity.hash,
      .resume_notes = std::move(resume_notes)};
}

}  // namespace penstock::train
