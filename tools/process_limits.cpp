#include "tools/process_limits.h"

#include <sys/resource.h>

#include <csignal>

namespace penstock::tools {

void raise_open_file_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  // Refused: the limit stays, and a shard that cannot be opened says so.
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

void ignore_file_size_signal() noexcept {
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace penstock::tools
