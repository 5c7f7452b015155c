// The name under which run files' settings of the optimizer began: optimizer_config.h has them all.
#pragma once

#include "train/optim/optimizer_config.h"

namespace penstock::train {

using SgdConfig = OptimizerConfig;

}  // namespace penstock::train
