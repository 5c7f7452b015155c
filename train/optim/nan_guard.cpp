#include "train/optim/nan_guard.h"

#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::train {

void NanGuardConfig::validate() const {
  check_range({"nan_guard", "max_in_a_row", max_in_a_row, 1, 1'000'000, "max_in_a_row = 10"});
}

NanGuardState after_step(const NanGuardState& state, StepOutcome outcome) noexcept {
  if (outcome == StepOutcome::kFinite) return {.num_skipped = state.num_skipped};
  return {.num_in_a_row = state.num_in_a_row + 1, .num_skipped = state.num_skipped + 1};
}

bool should_stop(const NanGuardConfig& config, const NanGuardState& state) noexcept {
  return state.num_in_a_row >= config.max_in_a_row;
}

std::string nan_guard_reason(const NanGuardState& state, std::uint64_t step_idx,
                             double learning_rate) {
  return "the loss or a gradient was not finite in " + std::to_string(state.num_in_a_row) +
         (state.num_in_a_row == 1 ? " step" : " steps in a row") + " (" +
         std::to_string(state.num_skipped) + " in all), the last of them step " +
         std::to_string(step_idx) + " at learning rate " + number_text(learning_rate);
}

}  // namespace penstock::train
