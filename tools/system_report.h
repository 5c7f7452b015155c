// What this program is and what it found on this machine, in words and as JSON.
#pragma once

#include <string>

#include "tools/report_form.h"

namespace penstock::tools {

/// Version, compiler, libraries, CPU with its SIMD targets, GPU, cores and memory limits.
std::string describe_system(ReportForm form);

}  // namespace penstock::tools
