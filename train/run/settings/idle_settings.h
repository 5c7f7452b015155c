// Settings that are given and do nothing, because what they belong to is off or the run ends before.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "train/run/settings/run_config.h"

namespace penstock::train {

/// Whether a key is read by the optimizer, the schedule, the loss or whatever else of the run it belongs to;
/// true for keys of none of these. Others are not stored with the run.
bool is_heeded(std::string_view key, const RunConfig& config);

/// One sentence for each: "augment.cval 200 does nothing: augment.fill_mode is not \"constant\"". `num_steps` is
/// the length of the run; 0 when it is not known, so that a warm-up in steps is not judged.
std::vector<std::string> idle_settings(const RunConfig& config, std::uint64_t num_steps = 0);

}  // namespace penstock::train
