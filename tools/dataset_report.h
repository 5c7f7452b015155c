// A dataset, or one shard, in words and as JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/shard/index_record.h"
#include "streamer/shard/shard_file.h"

namespace penstock::tools {

enum class ReportForm { kText, kJson };

/// "jpeg", "raw", "png"; "unknown" for a number of a later version.
std::string_view codec_name(std::uint8_t codec);

/// Whether payload is read too, to say what metadata the pictures carry.
enum class MetadataDepth { kNone, kCounted };

/// True for a shard file, whole or damaged; false for what is no regular file.
///
/// Errors  InvalidArgument for any other file, with the line that fits it
bool is_shard_file(const std::filesystem::path& path);

/// Reads the bytes of a shard's sample. Throws CorruptData when they are not what was stored, Io.
std::vector<std::byte> read_verified(const ShardFile& shard, const IndexRecord& record,
                                     std::uint64_t sample_idx);

/// Describes what lies at `path`: a dataset's folder or a shard file.
///
/// Errors  NotFound; InvalidArgument for what is neither; CorruptData, Unsupported, Io
std::string describe_dataset_or_shard(const std::filesystem::path& path, ReportForm form,
                                      MetadataDepth depth = MetadataDepth::kNone);

}  // namespace penstock::tools
