// Settings that are given and do nothing, because what they belong to is off.
#pragma once

#include <string>
#include <vector>

#include "train/run/run_config.h"

namespace penstock::train {

/// One sentence for each: "augment.cval 200 does nothing: augment.fill_mode is not \"constant\"".
std::vector<std::string> idle_settings(const RunConfig& config);

}  // namespace penstock::train
