// When a run stores a checkpoint. Pure but for the clock that it is given; knows nothing of files.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace penstock::train {

struct CheckpointTimes {
  /// After every step whose number is a multiple of this; 0: never.
  std::uint64_t every_steps = 0;
  /// So many minutes after the last one, 0 to 525600 (a year); 0: never.
  double every_minutes = 10;
  /// After the last step of every epoch.
  bool every_epoch = true;
  /// Minutes that this process may take, 0 to 525600; the last checkpoint is stored before they end.
  /// 0: as many as it wants.
  double max_minutes = 0;
  /// What a checkpoint is taken to last before one was stored, seconds, 0 to 3600.
  double first_save_s = 10;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

enum class CheckpointReason : std::uint8_t {
  kMaxTime,  // and the run ends
  kEpoch,
  kSteps,
  kMinutes,
};

/// A place between two steps.
struct StepEnd {
  /// Steps taken, from 1.
  std::uint64_t step = 0;
  bool is_epoch_end = false;
};

/// Is asked after every step, and told of everything else that takes time.
///
/// Threads  one caller at a time
class CheckpointClock {
 public:
  using Clock = std::chrono::steady_clock;
  using Now = std::function<Clock::time_point()>;

  /// The run's time begins here. Errors  InvalidArgument
  explicit CheckpointClock(const CheckpointTimes& times, Now now = Clock::now);

  /// Whether a checkpoint is due, and why: the first reason of those that hold, in the order of the
  /// enumeration. kMaxTime comes while there still is time for one more step as long as the longest so
  /// far and for a checkpoint of twice the longest so far, and again after every step from then on.
  std::optional<CheckpointReason> due_after(const StepEnd& end);

  /// Whether the time left is no more than a last step and a last checkpoint take. Between steps, in what
  /// takes long besides: a validation.
  bool is_time_up() const { return is_time_up(now_()); }

  /// Within a step: whether the time left is no more than a last checkpoint takes, or than half of all the time
  /// where that is less, so that the step cannot be waited for.
  bool is_time_up_in_step() const;

  /// Before a step that does not follow the last one at once: after a validation. What lies between is
  /// not counted as a step.
  void note_step_start();

  /// Around the storing of a checkpoint. A failed one counts as one: a disk that is full is not asked
  /// again at every step.
  void note_save_start();
  void note_save_end();

 private:
  bool is_time_up(Clock::time_point now) const;
  std::chrono::duration<double> save_reserve() const;
  std::chrono::duration<double> left(Clock::time_point now) const;

  CheckpointTimes times_;
  Now now_;
  Clock::time_point start_;
  Clock::time_point last_saved_;
  Clock::time_point save_start_;
  Clock::time_point step_start_;
  Clock::duration longest_step_{};
  std::optional<Clock::duration> longest_save_;
};

}  // namespace penstock::train
