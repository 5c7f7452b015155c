// What a user asked for that no picture needed: a run without effect is no error, but not silent.
#pragma once

#include <string>
#include <vector>

#include "tools/convert/convert_config.h"
#include "tools/convert/convert_job.h"

namespace penstock::convert {

/// One line for each setting of `config` that nothing came of: "--resize-short, --max-side: no picture is
/// larger".
std::vector<std::string> unused_settings(const ConvertConfig& config,
                                         const ConvertSummary& summary);

}  // namespace penstock::convert
