// How long a run will take: the steps and validations that are left of it, at the speed of a few of them.
// Arithmetic only.
#pragma once

#include <cstdint>
#include <vector>

namespace penstock::train {

/// A few batches of a pass, timed.
struct TimedPass {
  std::uint64_t num_batches = 0;
  std::uint64_t num_samples = 0;
  double elapsed_s = 0;
  double waiting_s = 0;  // of these, blocked waiting for a batch

  double images_per_s() const noexcept {
    return elapsed_s > 0 ? static_cast<double>(num_samples) / elapsed_s : 0;
  }
  double waiting_share() const noexcept { return elapsed_s > 0 ? waiting_s / elapsed_s : 0; }
  /// Of so many samples at this speed.
  double seconds_for(double samples) const noexcept;
};

/// What is left of a run.
struct RunAhead {
  std::uint32_t num_epochs = 1;  // of the whole run
  std::uint64_t steps_per_epoch = 1;
  /// Taken before, those of an epoch under way included.
  std::uint64_t num_steps_done = 0;
  /// Samples of a step, over a whole pass: its last one may have fewer.
  double samples_per_step = 0;
  /// Of one validation; 0: none.
  std::uint64_t num_validation_samples = 0;
  std::uint32_t validate_every_steps = 0;
  /// The last epoch done was not validated yet.
  bool is_validation_left = false;

  std::uint64_t num_steps() const noexcept;
  /// Of the epochs from `first` to before `end`.
  std::uint64_t num_steps_of(std::uint32_t first_epoch, std::uint32_t end_epoch) const noexcept;
  /// After the epochs, and within them.
  std::uint64_t num_validations() const noexcept;
};

/// Epochs in which the same weights learn: what is frozen takes less time.
struct StageForecast {
  std::uint32_t first_epoch = 0;
  std::uint64_t num_steps = 0;
  TimedPass timed = {};
  double train_s = 0;
};

struct RunForecast {
  RunAhead ahead = {};
  /// From the start to the first batch asked for.
  double setup_s = 0;
  std::vector<StageForecast> stages = {};  // none when no step is left
  TimedPass validation = {};
  /// --max-time; 0: none.
  double max_s = 0;
  /// Early stopping may end it before.
  bool may_end_early = false;
  /// Of the samples that were seen, those whose data failed.
  std::uint64_t num_skipped = 0;

  double train_s() const noexcept;
  double validation_s() const noexcept;
  /// What writing weights and checkpoints takes is not among it.
  double total_s() const noexcept { return setup_s + train_s() + validation_s(); }
  bool is_cut_by_max_time() const noexcept { return max_s > 0 && total_s() > max_s; }
};

}  // namespace penstock::train
