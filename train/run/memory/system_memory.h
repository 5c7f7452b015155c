// How much memory this process may count on, as the kernel tells it. Knows nothing of what the
// memory is for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace penstock::train {

struct SystemMemory {
  std::uint64_t machine_bytes = 0;    // MemTotal; 0 when the kernel does not say
  std::uint64_t available_bytes = 0;  // MemAvailable: what can be had without swapping
  /// The tightest limit of the process's control group and those above it, version 2 or 1; nothing
  /// when there is none.
  std::optional<std::uint64_t> cgroup_limit_bytes;

  /// The smaller of what is available and the control group's limit.
  std::uint64_t usable_bytes() const noexcept;
  /// What a run takes when no --memory is given: 0.8 of usable_bytes().
  std::uint64_t default_limit_bytes() const noexcept;
};

/// Reads /proc/meminfo, /proc/self/cgroup and /sys/fs/cgroup. `root` stands for "/" in tests.
///
/// Errors  Io when /proc/meminfo does not say what is available
/// Source  Linux: Documentation/admin-guide/cgroup-v2.rst (memory.max),
///         cgroup-v1/memory.rst (memory.limit_in_bytes), filesystems/proc.rst (meminfo)
SystemMemory read_system_memory(const std::filesystem::path& root = "/");

}  // namespace penstock::train
