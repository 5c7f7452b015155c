// The augmentation of a run in one line.
#pragma once

#include <string>

#include "train/run/settings/run_config.h"

namespace penstock::tools {

/// "horizontal_flip 0.5, zoom_range [0.9, 1.1]": every key of the table `augment` that is not what the
/// preset `none` says, with its value; "none" where all are.
std::string augment_text(const train::RunConfig& config);

}  // namespace penstock::tools
