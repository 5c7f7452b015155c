#include "train/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace penstock::train {
namespace {

/// Half a cosine from `start` (share 0) to `end` (share 1).
double anneal(double start, double end, double share) noexcept {
  return end + (start - end) / 2.0 * (1.0 + std::cos(std::numbers::pi * share));
}

double one_cycle(const ScheduleConfig& config, double peak, StepPlace place) noexcept {
  const double first = peak / config.div_factor;
  const double last = first / config.final_div_factor;
  const double peak_step = config.warmup_fraction * static_cast<double>(place.num_steps) - 1.0;
  const double last_step = static_cast<double>(place.num_steps) - 1.0;
  const double step = static_cast<double>(place.step_idx);
  // A warm-up of one step is the peak alone; of a share of one, step 0 is on the way down, as in PyTorch.
  if (step <= peak_step) return peak_step > 0 ? anneal(first, peak, step / peak_step) : peak;
  if (step >= last_step) return last;
  return anneal(peak, last, (step - peak_step) / (last_step - peak_step));
}

double steps_down(const ScheduleConfig& config, double peak, StepPlace place) noexcept {
  const std::uint64_t epoch = place.step_idx / place.steps_per_epoch;
  const auto& milestones = config.milestone_epochs;
  const auto num_passed = std::ranges::upper_bound(milestones, epoch) - milestones.begin();
  const double times = milestones.empty() ? static_cast<double>(epoch / config.step_epochs)
                                          : static_cast<double>(num_passed);
  return peak * std::pow(config.gamma, times);
}

double num_warmup_steps(const ScheduleConfig& config, StepPlace place) noexcept {
  if (config.kind == ScheduleKind::kOneCycle) return 0;
  if (config.warmup_steps > 0) return static_cast<double>(config.warmup_steps);
  return std::round(config.warmup_epochs * static_cast<double>(place.steps_per_epoch));
}

/// What a schedule sees behind the warm-up.
struct DecayPlace {
  double share = 0;       // of the steps behind the warm-up, 0 to 1
  double num_epochs = 0;  // since the warm-up
};

double decayed(const ScheduleConfig& config, double peak, DecayPlace place) noexcept {
  const double end = config.end_learning_rate;
  switch (config.kind) {
    case ScheduleKind::kCosine:
      return anneal(peak, end, place.share);
    case ScheduleKind::kPolynomial:
      return end + (peak - end) * std::pow(1 - place.share, config.power);
    case ScheduleKind::kExponential:
      return peak * std::pow(config.gamma, place.num_epochs);
    case ScheduleKind::kConstant:
    case ScheduleKind::kOneCycle:  // before it is asked for
    case ScheduleKind::kStep:
      break;
  }
  return peak;
}

}  // namespace

double learning_rate_at(const ScheduleConfig& config, double peak, StepPlace place) noexcept {
  // Ends and starts of schedules are rates at which nothing is learned.
  if (place.num_steps == 1 && place.step_idx == 0) return peak;
  if (config.kind == ScheduleKind::kOneCycle) return one_cycle(config, peak, place);
  const double step = static_cast<double>(place.step_idx);
  const double num_warmup = num_warmup_steps(config, place);
  if (step < num_warmup) {
    const double start = config.warmup_start_factor;
    return peak * (start + (1 - start) * step / num_warmup);
  }
  if (config.kind == ScheduleKind::kStep) return steps_down(config, peak, place);
  const double num_left = std::max(1.0, static_cast<double>(place.num_steps) - num_warmup);
  const double since = step - num_warmup;
  return decayed(config, peak,
                 {.share = std::min(1.0, since / num_left),
                  .num_epochs = since / static_cast<double>(place.steps_per_epoch)});
}

}  // namespace penstock::train
