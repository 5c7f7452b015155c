#include "train/run/settings/core_split.h"

#include <algorithm>

namespace penstock::train {
namespace {

std::string counted(std::uint32_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

std::string CoreSplit::text() const {
  return std::to_string(num_compute) + " compute, " + counted(num_readers, "reader") + ", " +
         counted(num_workers, "worker");
}

CoreSplit split_cores(std::uint32_t num_cores, const CoreWish& wish) {
  constexpr std::uint32_t kMaxLoader = 16;
  constexpr std::uint32_t kMaxLoaderOfGpu = 64;
  const std::uint32_t ruled = wish.is_on_gpu ? std::clamp(num_cores, 2u, kMaxLoaderOfGpu)
                                             : std::clamp(num_cores / 4, 2u, kMaxLoader);
  const std::uint32_t num_loader = wish.loader_threads > 0 ? wish.loader_threads : ruled;
  const std::uint32_t num_readers = std::max(num_loader / 4, 1u);
  // A loader takes no more workers than there are cores.
  const std::uint32_t most_workers = std::max(num_cores, 1u);
  return {
      .num_compute = wish.threads > 0 ? wish.threads : std::max(num_cores, 1u),
      .num_readers = num_readers,
      .num_workers = std::clamp(num_loader - std::min(num_readers, num_loader), 1u, most_workers)};
}

}  // namespace penstock::train
