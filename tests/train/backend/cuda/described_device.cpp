#include "tests/train/backend/cuda/described_device.h"

#include <cuda_runtime_api.h>

#include <boost/test/unit_test.hpp>
#include <cstring>

namespace penstock::tests {
namespace {

using train::cuda::DeviceFacts;

DeviceFacts current;  // what the runtime says; of the libraries that were described last

}  // namespace

DeviceFacts described_device(std::uint32_t compute_capability) {
  constexpr std::uint32_t kKiB = 1024;
  constexpr std::uint64_t kMiB = std::uint64_t{1024} * kKiB;
  if (compute_capability == 75) {
    return {.compute_capability = 75,
            .num_multiprocessors = 40,
            .max_threads_per_multiprocessor = 1024,
            .shared_bytes_per_multiprocessor = 64 * kKiB,
            .shared_bytes_per_block = 64 * kKiB,
            .memory_bytes = 15360 * kMiB,
            .l2_bytes = 4 * kMiB};
  }
  if (compute_capability == 80) {
    return {.compute_capability = 80,
            .num_multiprocessors = 108,
            .max_threads_per_multiprocessor = 2048,
            .shared_bytes_per_multiprocessor = 164 * kKiB,
            .shared_bytes_per_block = 163 * kKiB,
            .memory_bytes = 40960 * kMiB,
            .l2_bytes = 40 * kMiB};
  }
  BOOST_REQUIRE_EQUAL(compute_capability, 90u);
  return {.compute_capability = 90,
          .num_multiprocessors = 132,
          .max_threads_per_multiprocessor = 2048,
          .shared_bytes_per_multiprocessor = 228 * kKiB,
          .shared_bytes_per_block = 227 * kKiB,
          .memory_bytes = 81920 * kMiB,
          .l2_bytes = 50 * kMiB};
}

DescribedLibraries::DescribedLibraries(std::uint32_t compute_capability) {
  current = described_device(compute_capability);
  const auto status = train::cuda::describe_product_libraries(current, &libraries_);
  BOOST_REQUIRE_MESSAGE(status.is_ok(), status.text);
}

}  // namespace penstock::tests

// The program's own come before those of libcudart.
extern "C" cudaError_t CUDARTAPI cudaGetDevice(int* device_idx) {
  *device_idx = 0;
  return cudaSuccess;
}

extern "C" cudaError_t CUDARTAPI cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  const auto& device = penstock::tests::current;
  std::memset(properties, 0, sizeof(*properties));
  properties->major = static_cast<int>(device.compute_capability / 10);
  properties->minor = static_cast<int>(device.compute_capability % 10);
  properties->multiProcessorCount = static_cast<int>(device.num_multiprocessors);
  return cudaSuccess;
}
