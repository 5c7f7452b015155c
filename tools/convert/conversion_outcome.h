// What a user reads of a conversion's end where not all went well.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/convert/convert_config.h"
#include "tools/convert/convert_job.h"
#include "tools/convert/source/picture_source.h"

namespace penstock::convert {

/// Sets `reasons` and `num_by_reason` from what the shards have counted and what the scan has found.
void count_reasons(const SourceScan& scan, ConvertSummary& summary);

/// The line for more than 1 % of bad files among all that were listed; empty where there are fewer.
std::string bad_files_warning(std::uint64_t num_bad, std::uint64_t num_listed);

/// A line for each split of which pictures were listed and none is stored.
std::vector<std::string> lost_split_warnings(const SourceScan& scan, const ConvertSummary& summary);

/// Throws CorruptData naming the reasons for which there is no sample.
[[noreturn]] void refuse_nothing_readable(const ConvertConfig& config,
                                          const ConvertSummary& summary);

}  // namespace penstock::convert
