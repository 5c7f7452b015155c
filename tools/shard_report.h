// One shard file, in words and as JSON, and what tells it from other files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "streamer/shard/index_record.h"
#include "streamer/shard/shard_file.h"
#include "tools/report_form.h"

namespace penstock::tools {

/// True for a shard file, whole or damaged; false for what is no regular file.
///
/// Errors  InvalidArgument for any other file, with the line that fits it
bool is_shard_file(const std::filesystem::path& path);

/// Reads the bytes of a shard's sample. Throws CorruptData when they are not what was stored, Io.
std::vector<std::byte> read_verified(const ShardFile& shard, const IndexRecord& record,
                                     std::uint64_t sample_idx);

/// Errors  CorruptData, Unsupported, Io
std::string describe_shard(const std::filesystem::path& path, ReportForm form, MetadataDepth depth);

}  // namespace penstock::tools
