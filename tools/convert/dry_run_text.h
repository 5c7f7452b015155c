// A dry run in words and as JSON.
#pragma once

#include <string>

#include "tools/convert/dry_run.h"

namespace penstock::convert {

/// Several lines for a reader; `dataset` is the path as it was typed.
std::string dry_run_text(const DryRunReport& report, const std::string& dataset);

/// One JSON object; keys carry their units.
std::string dry_run_json(const DryRunReport& report);

}  // namespace penstock::convert
