#include "streamer/core/usable_cores.h"

#include <sched.h>

#include <algorithm>
#include <thread>

namespace penstock {

std::uint32_t num_usable_cores() noexcept {
  cpu_set_t mask;
  if (::sched_getaffinity(0, sizeof mask, &mask) == 0) {
    return static_cast<std::uint32_t>(std::max(CPU_COUNT(&mask), 1));
  }
  // The mask of a machine of more than 1024 cores does not fit.
  return std::max(std::thread::hardware_concurrency(), 1u);
}

}  // namespace penstock
