#include "train/store/checkpoint_clock.h"

#include <algorithm>
#include <utility>

#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::train {
namespace {

using Seconds = std::chrono::duration<double>;
using Minutes = std::chrono::duration<double, std::ratio<60>>;

constexpr double kMaxMinutes = 525600;  // a year
constexpr double kMaxSaveSeconds = 3600;
// A disk that others use too may take longer than it did.
constexpr int kSaveReserve = 2;

void check_number(const char* field, double value, double high, const char* hint) {
  if (value >= 0 && value <= high) return;  // NaN is neither
  refuse_setting({.owner = "checkpoint",
                  .field = field,
                  .expected = "0 to " + number_text(high),
                  .found = number_text(value),
                  .hint = hint});
}

}  // namespace

void CheckpointTimes::validate() const {
  check_number("every_minutes", every_minutes, kMaxMinutes, "every_minutes = 10");
  check_number("max_minutes", max_minutes, kMaxMinutes, "max_minutes = 150");
  check_number("first_save_s", first_save_s, kMaxSaveSeconds, "first_save_s = 0");
}

CheckpointClock::CheckpointClock(const CheckpointTimes& times, Now now)
    : times_(times),
      now_(std::move(now)),
      start_(now_()),
      last_saved_(start_),
      save_start_(start_),
      step_start_(start_) {
  times_.validate();
}

std::chrono::duration<double> CheckpointClock::save_reserve() const {
  return longest_save_ ? Seconds(kSaveReserve * *longest_save_) : Seconds(times_.first_save_s);
}

std::chrono::duration<double> CheckpointClock::left(Clock::time_point now) const {
  return Seconds(Minutes(times_.max_minutes)) - Seconds(now - start_);
}

bool CheckpointClock::is_time_up(Clock::time_point now) const {
  return times_.max_minutes > 0 && left(now) < save_reserve() + Seconds(longest_step_);
}

bool CheckpointClock::is_time_up_in_step() const {
  // A process that had no time but for saving would never come to the end of a step.
  const Seconds half = Seconds(Minutes(times_.max_minutes)) / 2;
  return times_.max_minutes > 0 && left(now_()) < std::min(save_reserve(), half);
}

std::optional<CheckpointReason> CheckpointClock::due_after(const StepEnd& end) {
  const Clock::time_point now = now_();
  longest_step_ = std::max(longest_step_, now - step_start_);
  step_start_ = now;
  if (is_time_up(now)) return CheckpointReason::kMaxTime;
  if (times_.every_epoch && end.is_epoch_end) return CheckpointReason::kEpoch;
  if (times_.every_steps > 0 && end.step % times_.every_steps == 0) return CheckpointReason::kSteps;
  const bool is_long_ago =
      times_.every_minutes > 0 && now - last_saved_ >= Minutes(times_.every_minutes);
  if (is_long_ago) return CheckpointReason::kMinutes;
  return std::nullopt;
}

void CheckpointClock::note_step_start() {
  step_start_ = now_();
}

void CheckpointClock::note_save_start() {
  save_start_ = now_();
}

void CheckpointClock::note_save_end() {
  last_saved_ = step_start_ = now_();
  longest_save_ = std::max(longest_save_.value_or(Clock::duration{}), last_saved_ - save_start_);
}

}  // namespace penstock::train
