#include "train/backend/cuda/module/device_properties.h"

#include <cuda_runtime_api.h>

namespace penstock::train::cuda {
namespace {

std::string member(const char* key, std::uint64_t value) {
  return ",\"" + std::string(key) + "\":" + std::to_string(value);
}

}  // namespace

// The keys were read off what cuDNN 9.19 writes; it refuses a text that lacks one. What DeviceFacts do not hold is
// the same on all devices from Turing to Hopper, or only a name.
std::string device_properties_json(const DeviceFacts& device) {
  std::string json = R"({"version":1,"deviceName":"described")";
  json += member("deviceVer", device.compute_capability * std::uint64_t{10});
  json += member("driverVer", CUDART_VERSION);
  json += member("cudaDeviceId", 0) + member("pciDeviceId", 0) + member("isTccDriver", 0);
  json += member("supportCoopLaunch", 1) + member("warpSize", 32);
  json += member("multiProcessorCount", device.num_multiprocessors);
  json += member("maxThreadsPerBlock", 1024);
  json += member("maxThreadsPerSM", device.max_threads_per_multiprocessor);
  json += member("maxCtasPerSM", device.max_threads_per_multiprocessor / 64);
  json += member("regsPerBlock", 65536) + member("maxRegistersPerSM", 65536);
  json += member("maxSharedMemoryPerBlock", 49152);
  json += member("maxSharedMemoryPerBlockOptin", device.shared_bytes_per_block);
  json += member("reservedSharedMemoryPerBlock", device.compute_capability >= 80 ? 1024 : 0);
  json += member("maxSharedMemoryPerSM", device.shared_bytes_per_multiprocessor);
  json += member("totalGlobalMem", device.memory_bytes);
  json += member("smClockRateKHz", 1500000) + member("memClockRateKHz", 1500000);
  json += member("l2CacheSize", device.l2_bytes);
  return json + R"(,"maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64]})";
}

}  // namespace penstock::train::cuda
