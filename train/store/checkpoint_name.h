// Names of checkpoints: which was written when, and after which step. Knows nothing of files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::train {

/// What a name says.
struct CheckpointNumbers {
  /// Counts the checkpoints of a run from 1 in the order of their writing, 1 to kMaxSerial. A higher one
  /// is newer, also where a run went back to an earlier step.
  std::uint64_t serial = 0;
  /// Optimizer steps taken.
  std::uint64_t step = 0;

  friend bool operator==(const CheckpointNumbers&, const CheckpointNumbers&) = default;
};

inline constexpr std::uint64_t kMaxSerial = 999'999'999;

/// Formats as "000017-step-000001234".
std::string checkpoint_name(const CheckpointNumbers& numbers);

/// Nothing unless `name` is exactly what checkpoint_name() makes of some numbers.
std::optional<CheckpointNumbers> parse_checkpoint_name(std::string_view name);

}  // namespace penstock::train
