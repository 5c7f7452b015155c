// Counts steps whose loss or gradients are not finite. Such a step changes no weight; too many in a
// row end the run.
#pragma once

#include <cstdint>
#include <string>

namespace penstock::train {

struct NanGuardConfig {
  /// Skipped steps in a row that end the run, 1 to 1e6. Loss scaling skips a few while it looks for
  /// its scale.
  std::uint32_t max_in_a_row = 10;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// What a checkpoint stores.
struct NanGuardState {
  std::uint32_t num_in_a_row = 0;
  std::uint64_t num_skipped = 0;  // in the whole run

  bool operator==(const NanGuardState&) const = default;
};

enum class StepOutcome : std::uint8_t { kFinite, kNotFinite };

NanGuardState after_step(const NanGuardState& state, StepOutcome outcome) noexcept;

bool should_stop(const NanGuardConfig& config, const NanGuardState& state) noexcept;

/// Says why the run ends: "the loss or a gradient was not finite in 10 steps in a row (12 in all),
/// the last of them step 341 at learning rate 0.1".
std::string nan_guard_reason(const NanGuardState& state, std::uint64_t step_idx,
                             double learning_rate);

}  // namespace penstock::train
