#include "tools/bench/page_cache.h"

#include <fcntl.h>

#include <set>
#include <system_error>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/shard_file.h"

namespace penstock::tools::bench {

std::vector<std::filesystem::path> shard_paths(const std::vector<SampleTask>& tasks) {
  std::set<std::filesystem::path> paths;
  const ShardFile* last = nullptr;
  for (const SampleTask& task : tasks) {
    if (task.shard != last) paths.insert(task.shard->path());
    last = task.shard;
  }
  return {paths.begin(), paths.end()};
}

void drop_from_page_cache(const std::vector<std::filesystem::path>& files) {
  for (const std::filesystem::path& path : files) {
    const UniqueFd file = open_for_reading(path);
    const int failed = posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
    if (failed != 0) {
      throw Error(ErrorCode::kIo, "drop from page cache: " + path.native() +
                                      ": expected success, found " +
                                      std::generic_category().message(failed));
    }
  }
}

}  // namespace penstock::tools::bench
