// How many cores this process may use.
#pragma once

#include <cstdint>

namespace penstock {

/// Counts the cores in the affinity mask of the calling thread; at least 1. A machine may have more
/// (taskset, a container's cpuset); a cgroup's quota of time is not looked at.
std::uint32_t num_usable_cores() noexcept;

}  // namespace penstock
