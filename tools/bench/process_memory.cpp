#include "tools/bench/process_memory.h"

#include <fstream>
#include <string>

#include "streamer/core/error.h"

namespace penstock::tools::bench {

ProcessMemory process_memory() {
  ProcessMemory memory;
  std::ifstream status("/proc/self/status");
  std::string key;
  while (status >> key) {
    std::uint64_t kib = 0;
    if (key == "VmRSS:" && status >> kib) memory.resident_bytes = kib << 10;
    if (key == "VmHWM:" && status >> kib) memory.peak_bytes = kib << 10;
    std::getline(status, key);
  }
  if (memory.peak_bytes == 0) {
    throw Error(ErrorCode::kIo, "/proc/self/status: expected VmHWM, found none");
  }
  return memory;
}

}  // namespace penstock::tools::bench
