// The learning rate of every step, as a pure function of the step and the number of steps: nothing
// to store, nothing to restore.
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::train {

enum class ScheduleKind : std::uint8_t { kConstant, kOneCycle };

/// Names as run files spell them: "constant", "one_cycle".
std::string_view schedule_name(ScheduleKind kind);
/// Throws InvalidArgument naming the schedules there are.
ScheduleKind parse_schedule(std::string_view name);

struct ScheduleConfig {
  ScheduleKind kind = ScheduleKind::kOneCycle;
  /// Share of the steps in which one_cycle rises to the peak, above 0 and below 1.
  double warmup_fraction = 0.2;
  /// one_cycle starts at peak / div_factor, 1 or more.
  double div_factor = 25;
  /// one_cycle ends at peak / div_factor / final_div_factor, 1 or more.
  double final_div_factor = 1e4;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// A place in a run.
struct StepPlace {
  std::uint64_t step_idx = 0;
  std::uint64_t num_steps = 1;
};

/// Returns the learning rate of one step.
///
/// Source  one_cycle: torch.optim.lr_scheduler.OneCycleLR with anneal_strategy "cos", two phases,
///         stepped once per batch (pytorch/torch/optim/lr_scheduler.py). Momentum is not cycled.
double learning_rate_at(const ScheduleConfig& config, double peak, StepPlace place) noexcept;

}  // namespace penstock::train
