#include "train/backend/cuda/device_status.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace penstock::train::cuda {
namespace {

// By name, which is the same in CUDA 12 and 13. Source: CUDA 13.0, driver_types.h: what "leaves the process in an
// inconsistent state", failed assertions and memory that failed besides.
constexpr std::array<std::string_view, 13> kStickyErrors = {
    "cudaErrorIllegalAddress",      "cudaErrorLaunchFailure",      "cudaErrorLaunchTimeout",
    "cudaErrorHardwareStackError",  "cudaErrorIllegalInstruction", "cudaErrorMisalignedAddress",
    "cudaErrorInvalidAddressSpace", "cudaErrorECCUncorrectable",   "cudaErrorAssert",
    "cudaErrorInvalidPc",           "cudaErrorTensorMemoryLeak",   "cudaErrorContained",
    "cudaErrorExternalDevice"};

// Those of cuDNN are its codes 4003 and 4004, as cuDNN 9's cudnnGetErrorString() names them.
constexpr std::array<std::string_view, 4> kMemoryErrors = {
    "cudaErrorMemoryAllocation", "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED", "CUBLAS_STATUS_ALLOC_FAILED"};

bool is_one_of(std::span<const std::string_view> names, const char* name) {
  return name != nullptr && std::ranges::find(names, std::string_view(name)) != names.end();
}

}  // namespace

bool is_sticky(const DeviceStatus& status) noexcept {
  return is_one_of(kStickyErrors, status.name);
}

bool is_out_of_memory(const DeviceStatus& status) noexcept {
  return is_one_of(kMemoryErrors, status.name);
}

}  // namespace penstock::train::cuda
