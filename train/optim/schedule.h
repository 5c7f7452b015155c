// The learning rate of every step, as a pure function of the step and the number of steps: nothing
// to store, nothing to restore. What follows a metric instead is reduce_on_plateau.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace penstock::train {

enum class ScheduleKind : std::uint8_t {
  kConstant,
  kOneCycle,
  kStep,
  kCosine,
  kPolynomial,
  kExponential,
};

/// Names as run files spell them, in the order of ScheduleKind: "constant", "one_cycle", "step", "cosine",
/// "polynomial", "exponential".
std::span<const std::string_view> schedule_names();
std::string_view schedule_name(ScheduleKind kind);
/// Throws InvalidArgument naming the schedules there are, with the nearest in the hint.
ScheduleKind parse_schedule(std::string_view name);

/// Settings of all schedules; each reads those marked with its name.
struct ScheduleConfig {
  ScheduleKind kind = ScheduleKind::kOneCycle;
  /// one_cycle: share of the steps in which it rises to the peak, above 0 and below 1.
  double warmup_fraction = 0.2;
  /// one_cycle: starts at peak / div_factor, 1 or more.
  double div_factor = 25;
  /// one_cycle: ends at peak / div_factor / final_div_factor, 1 or more.
  double final_div_factor = 1e4;
  /// step: epochs of the run, ascending, from 1, at whose start the rate is multiplied with gamma.
  /// Empty for every step_epochs.
  std::vector<std::uint32_t> milestone_epochs = {};
  /// step: epochs from one multiplication to the next, at least 1.
  std::uint32_t step_epochs = 30;
  /// step: factor of the rate, above 0 and at most 1. exponential: factor over one epoch.
  double gamma = 0.1;
  /// cosine, polynomial: where they lead, 0 or more; 0 after the last step, not in it.
  double end_learning_rate = 0;
  /// polynomial: 1 for a straight line, above 0.
  double power = 1;
  /// All but one_cycle: rises in a line to the peak over so many steps, or so many epochs (parts of
  /// one, too); 0 for none, and one of the two only. The other schedules begin after it, but step
  /// counts its epochs from the start of the run.
  std::uint64_t warmup_steps = 0;
  double warmup_epochs = 0;
  /// The warm-up starts at peak * warmup_start_factor, above 0 and at most 1.
  double warmup_start_factor = 0.01;

  /// The usual settings of a schedule: those above, but gamma 0.95 for exponential.
  static ScheduleConfig of(ScheduleKind kind);

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// Names of the settings that a schedule reads; the others do nothing.
std::span<const std::string_view> own_settings(ScheduleKind kind);

/// A place in a run.
struct StepPlace {
  std::uint64_t step_idx = 0;
  std::uint64_t num_steps = 1;
  /// For what is counted in epochs, at least 1.
  std::uint64_t steps_per_epoch = 1;
};

/// Returns the learning rate of one step; beyond the last one that of the end. A run of one step takes it at the
/// peak, whatever the schedule.
///
/// Source  README.md has the formulas. torch.optim.lr_scheduler (PyTorch 2) of the same names,
///         stepped once per batch, behind LinearLR in a SequentialLR; polynomial with an end other
///         than 0: Keras 3, PolynomialDecay. one_cycle: OneCycleLR with anneal_strategy "cos", two
///         phases; momentum is not cycled.
double learning_rate_at(const ScheduleConfig& config, double peak, StepPlace place) noexcept;

}  // namespace penstock::train
