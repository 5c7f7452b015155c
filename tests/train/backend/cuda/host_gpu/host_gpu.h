// Runs kernels on the CPU: each thread is a fibre, warps take turns in a shuffled order, and whoever reads what
// another thread of the block has yet to write reads NaN.
#pragma once

#include <cstdint>
#include <functional>

#include "train/backend/cuda/kernels/host_launch.h"

namespace penstock::tests {

/// In which order blocks and warps run.
void seed_host_gpu(std::uint64_t seed);

/// Takes what host_launch() is given, until it is destroyed; without one a launch runs at once.
class HostLaunchTaker {
 public:
  using Take = std::function<void(train::cuda::Stream, std::function<void()> run)>;
  explicit HostLaunchTaker(Take take);
  HostLaunchTaker(const HostLaunchTaker&) = delete;
  HostLaunchTaker& operator=(const HostLaunchTaker&) = delete;
  ~HostLaunchTaker();

 private:
  Take before_;
};

/// Kernels started since the program began.
std::uint64_t num_host_launches();

}  // namespace penstock::tests
