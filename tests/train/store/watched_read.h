// Does something at the first read of a file, as another process might at that moment.
#pragma once

#include <filesystem>
#include <functional>

namespace penstock::tests {

/// For programs that compile watched_read.cpp, which takes the place of pread(); one at a time.
///
/// Threads  reads of the thread that made it
class WatchedRead {
 public:
  WatchedRead(const std::filesystem::path& file, std::function<void()> at_first_read);
  WatchedRead(const WatchedRead&) = delete;
  WatchedRead& operator=(const WatchedRead&) = delete;
  ~WatchedRead();
};

}  // namespace penstock::tests
