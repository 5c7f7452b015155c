// What this process holds in memory, as Linux tells it.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace penstock::train::tests {

/// A line of /proc/self/status, in bytes: "VmRSS" (resident now), "VmHWM" (its peak). 0 when there is none.
/// Source  man 5 proc
inline std::uint64_t status_bytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t kib = 0;
    if (word == name + ":" && status >> kib) return kib * 1024;
  }
  return 0;
}

/// Lets VmHWM begin anew at VmRSS; says whether the system did.
/// Source  man 5 proc: writing 5 to /proc/pid/clear_refs, since Linux 4.0
inline bool reset_peak() {
  const std::uint64_t resident = status_bytes("VmRSS");
  std::ofstream("/proc/self/clear_refs") << "5" << std::flush;
  const std::uint64_t peak = status_bytes("VmHWM");
  constexpr std::uint64_t kMiB = 1u << 20;  // stdio's buffers and the like
  return resident > 0 && peak > 0 && peak <= resident + kMiB;
}

}  // namespace penstock::train::tests
