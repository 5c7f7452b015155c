// The CPU as the kernel names it.
#pragma once

#include <string>

namespace penstock::tools {

/// Returns the model of the first core; "unknown" where /proc/cpuinfo does not say.
std::string cpu_name();

}  // namespace penstock::tools
