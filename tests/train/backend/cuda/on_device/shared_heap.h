// A heap that host and device both reach: page-locked memory, which a device addresses as the host does (CUDA C++
// Programming Guide, "Unified Virtual Address Space"). With it, tests of kernels that know vectors and locals only
// run on a device unchanged.
#pragma once

#include <cstddef>
#include <functional>

namespace penstock::tests {

/// From now on `new` takes from page-locked memory of DeviceUnderTest; what was taken before stays where it is.
/// With PENSTOCK_EXACT_ALLOCATIONS in the environment each larger piece is an allocation of its own, so that
/// compute-sanitizer sees where it ends.
void share_heap_with_device();

/// Runs `work` on a stack that the device reaches, too, and returns what it returns.
int run_on_shared_stack(const std::function<int()>& work);

}  // namespace penstock::tests
