// Whether a state belongs to the stream that is to go on from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "streamer/order/loader_state.h"

namespace penstock {

/// The last first epoch: half of what the counter of epochs holds.
inline constexpr std::uint32_t kMaxFirstEpoch = 0x7FFFFFFFu;

/// The stream that is to go on.
struct ResumeTarget {
  std::string_view dataset_id;
  std::string_view settings;  // loader_identity()
  std::uint64_t num_positions = 0;
};

/// Throws InvalidArgument when `state` is of another dataset, of other settings (naming each that
/// differs, its value here and there), or beyond the end of an epoch. The size of a batch, the type of
/// its values and their layout may differ: they move no sample to another position.
void check_resume(const LoaderState& state, const ResumeTarget& target);

/// Says in which lines `key=value` two texts differ: `seed: expected 1, found 2; ...`. Empty when
/// in none.
std::string describe_difference(std::string_view expected, std::string_view found);

}  // namespace penstock
