// A dataset, or one shard, in words and as JSON.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace penstock::tools {

enum class ReportForm { kText, kJson };

/// "jpeg", "raw", "png"; "unknown" for a number of a later version.
std::string_view codec_name(std::uint8_t codec);

/// Whether payload is read too, to say what metadata the pictures carry.
enum class MetadataDepth { kNone, kCounted };

/// Describes what lies at `path`: a dataset's folder or a shard file.
///
/// Errors  NotFound; InvalidArgument for what is neither; CorruptData, Unsupported, Io
std::string describe_dataset_or_shard(const std::filesystem::path& path, ReportForm form,
                                      MetadataDepth depth = MetadataDepth::kNone);

}  // namespace penstock::tools
