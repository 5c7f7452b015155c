// Cold reads: the shards' pages dropped from the page cache.
#pragma once

#include <filesystem>
#include <vector>

#include "streamer/read/sample_run.h"

namespace penstock::tools::bench {

/// Paths of the shards that the tasks read from, each once.
std::vector<std::filesystem::path> shard_paths(const std::vector<SampleTask>& tasks);

/// Asks the kernel to drop the pages of these files (posix_fadvise, DONTNEED); pages that are not
/// written yet stay. Throws Io.
void drop_from_page_cache(const std::vector<std::filesystem::path>& files);

}  // namespace penstock::tools::bench
