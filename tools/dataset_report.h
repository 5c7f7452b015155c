// A dataset, or one shard, in words and as JSON.
#pragma once

#include <filesystem>
#include <string>

#include "tools/report_form.h"

namespace penstock::tools {

/// Describes what lies at `path`: a dataset's folder or a shard file.
///
/// Errors  NotFound; InvalidArgument for what is neither; CorruptData, Unsupported, Io
std::string describe_dataset_or_shard(const std::filesystem::path& path, ReportForm form,
                                      MetadataDepth depth = MetadataDepth::kNone);

}  // namespace penstock::tools
