#include "train/optim/schedule.h"

#include <cmath>
#include <numbers>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

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
  // A warm-up of one step or less has no rise: its only step is the peak.
  if (step <= peak_step) return peak_step > 0 ? anneal(first, peak, step / peak_step) : peak;
  if (step >= last_step) return last;
  return anneal(peak, last, (step - peak_step) / (last_step - peak_step));
}

}  // namespace

std::string_view schedule_name(ScheduleKind kind) {
  return kind == ScheduleKind::kConstant ? "constant" : "one_cycle";
}

ScheduleKind parse_schedule(std::string_view name) {
  for (const ScheduleKind kind : {ScheduleKind::kConstant, ScheduleKind::kOneCycle}) {
    if (schedule_name(kind) == name) return kind;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "schedule: expected constant or one_cycle, found \"" + std::string(name) + "\"",
              "schedule = \"one_cycle\"");
}

// The comparisons are written so that NaN fails them.
void ScheduleConfig::validate() const {
  if (!(warmup_fraction > 0 && warmup_fraction < 1)) {
    refuse_setting({"schedule", "warmup_fraction", "above 0 and below 1",
                    number_text(warmup_fraction), "warmup_fraction = 0.2"});
  }
  if (!(div_factor >= 1 && std::isfinite(div_factor))) {
    refuse_setting({"schedule", "div_factor", "a finite number, 1 or more", number_text(div_factor),
                    "div_factor = 25"});
  }
  if (!(final_div_factor >= 1 && std::isfinite(final_div_factor))) {
    refuse_setting({"schedule", "final_div_factor", "a finite number, 1 or more",
                    number_text(final_div_factor), "final_div_factor = 1e4"});
  }
}

double learning_rate_at(const ScheduleConfig& config, double peak, StepPlace place) noexcept {
  return config.kind == ScheduleKind::kConstant ? peak : one_cycle(config, peak, place);
}

}  // namespace penstock::train
