// What this process holds, and the most that it ever held, as the kernel counts it.
#pragma once

#include <cstdint>

namespace penstock::tools::bench {

struct ProcessMemory {
  std::uint64_t resident_bytes = 0;
  std::uint64_t peak_bytes = 0;
};

/// Errors  Io when the kernel does not say
/// Source  Linux: filesystems/proc.rst, /proc/PID/status, VmRSS and VmHWM
ProcessMemory process_memory();

}  // namespace penstock::tools::bench
