#include "train/run/trial/run_forecast.h"

#include <algorithm>
#include <numeric>

namespace penstock::train {

double TimedPass::seconds_for(double samples) const noexcept {
  return num_samples > 0 ? elapsed_s / static_cast<double>(num_samples) * samples : 0;
}

std::uint64_t RunAhead::num_steps_of(std::uint32_t first_epoch,
                                     std::uint32_t end_epoch) const noexcept {
  const std::uint64_t begin = std::max(first_epoch * steps_per_epoch, num_steps_done);
  const std::uint64_t end = std::min(end_epoch, num_epochs) * steps_per_epoch;
  return end - std::min(begin, end);
}

std::uint64_t RunAhead::num_steps() const noexcept {
  return num_steps_of(0, num_epochs);
}

std::uint64_t RunAhead::num_validations() const noexcept {
  if (num_validation_samples == 0) return 0;
  const std::uint64_t end = num_epochs * steps_per_epoch;
  const std::uint64_t done = std::min(num_steps_done, end);
  const auto multiples_ahead = [&](std::uint64_t of) { return end / of - done / of; };
  std::uint64_t count = multiples_ahead(steps_per_epoch) + (is_validation_left ? 1 : 0);
  if (validate_every_steps == 0) return count;
  // One that falls on the end of an epoch is the epoch's.
  const std::uint64_t both = std::lcm<std::uint64_t>(validate_every_steps, steps_per_epoch);
  return count + multiples_ahead(validate_every_steps) - multiples_ahead(both);
}

double RunForecast::train_s() const noexcept {
  double sum_s = 0;
  for (const StageForecast& stage : stages) sum_s += stage.train_s;
  return sum_s;
}

double RunForecast::validation_s() const noexcept {
  return validation.seconds_for(static_cast<double>(ahead.num_validations()) *
                                static_cast<double>(ahead.num_validation_samples));
}

}  // namespace penstock::train
