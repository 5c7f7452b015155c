// A conversion in words and as JSON.
#pragma once

#include <string>

#include "tools/convert/convert_job.h"

namespace penstock::convert {

/// "1,234 of 3,781 files  33 %  560 files/s  42.1 MiB/s  2 bad  5 s left"
std::string format_progress(const ConvertProgress& progress);

/// "1 text, 2 hidden, 1 symbolic link"; empty where nothing was left out.
std::string left_out_text(const SkippedFiles& skipped, std::uint64_t num_outside,
                          std::uint64_t num_text);

/// Several lines for a reader; `dataset` is the path as it was typed.
std::string summary_text(const ConvertSummary& summary, const std::string& dataset);

/// One JSON object; keys carry their units.
std::string summary_json(const ConvertSummary& summary);

}  // namespace penstock::convert
