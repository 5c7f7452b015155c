// Whether a shard that an earlier conversion finished is still what it was, to the last sample.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <vector>

#include "streamer/shard/manifest.h"
#include "streamer/shard/shard_format.h"

namespace penstock::convert {

/// Reads the shard whole: header, index, names, every sample by its checksum. Returns its records, or
/// nothing where it is gone, or any of that is not as `expected` and its own checksums say.
///
/// Memory  index and names of the shard, and one block
/// Errors  Io; Stopped
std::optional<std::vector<IndexRecord>> read_finished_shard(const std::filesystem::path& path,
                                                            const ManifestShard& expected,
                                                            const std::stop_token& stop);

}  // namespace penstock::convert
